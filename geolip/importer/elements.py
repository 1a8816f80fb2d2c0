"""The element types of tensors: which are real numbers, which hold which others."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.helper import tensor_dtype_to_np_dtype

from geolip.arrays import Array

_REAL = tuple(
    np.dtype(tensor_dtype_to_np_dtype(code))
    for code in (
        TensorProto.FLOAT16,
        TensorProto.BFLOAT16,
        TensorProto.FLOAT,
        TensorProto.DOUBLE,
    )
)


def is_real(dtype: np.dtype[Any]) -> bool:
    """Return whether float64 holds every number of this floating-point type."""
    return dtype in _REAL


def widens(source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Return whether a cast between these is of real numbers and rounds none."""
    return is_real(source) and is_real(target) and np.can_cast(source, target, "safe")


def real(values: NDArray[Any]) -> Array:
    """Return the same numbers as float64, a copy."""
    return np.array(values, dtype=np.float64)


def from_code(code: int) -> np.dtype[Any]:
    """Return the NumPy type of an ONNX element type."""
    return np.dtype(tensor_dtype_to_np_dtype(code))


def code_name(code: int) -> str:
    """Return the name of an ONNX element type, such as ``FLOAT``."""
    if code not in TensorProto.DataType.values():
        return f"type {code}"
    return str(TensorProto.DataType.Name(code)) if code else "undefined"
