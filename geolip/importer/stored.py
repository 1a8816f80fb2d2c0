"""The numbers that a model stores, as dense or as sparse tensors.

What a tensor says of itself is checked against what it holds before anything is made of
it; a file that two runtimes may read differently is refused.

Source: ONNX, onnx/onnx.proto, messages TensorProto and SparseTensorProto.
"""

from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import (
    AttributeProto,
    NodeProto,
    SparseTensorProto,
    TensorProto,
    helper,
    numpy_helper,
)

from geolip.importer.elements import code_name, from_code
from geolip.importer.growth import check_fits

Stored: TypeAlias = TensorProto | SparseTensorProto

_FIELDS = ("float_data", "double_data", "int32_data", "int64_data", "uint64_data")
# Element types of which several share a byte, or three bytes four; in bits.
_PACKED: dict[int, int] = {
    TensorProto.UINT4: 4,
    TensorProto.INT4: 4,
    TensorProto.FLOAT4E2M1: 4,
    TensorProto.UINT2: 2,
    TensorProto.INT2: 2,
    TensorProto.FLOAT6E2M3: 6,
    TensorProto.FLOAT6E3M2: 6,
}
_NO_NUMBERS = (
    TensorProto.UNDEFINED,
    TensorProto.STRING,
    TensorProto.COMPLEX64,
    TensorProto.COMPLEX128,
)


def array_of(stored: Stored) -> NDArray[Any]:
    """Return a stored tensor as an array of its own element type.

    Raises
    ------
    ValueError
        If it holds no real numbers, or not as many as its shape has.
    """
    if isinstance(stored, SparseTensorProto):
        return _dense(stored)
    if stored.data_location == TensorProto.EXTERNAL:
        raise ValueError("it is stored outside the model: give the model's path")
    code, shape = stored.data_type, tuple(stored.dims)
    if code in _NO_NUMBERS or code not in TensorProto.DataType.values():
        raise ValueError(f"it holds {code_name(code)}: expected real numbers")
    _check_length(stored, _count(shape))
    array = np.asarray(numpy_helper.to_array(stored))
    # Whatever is not zero is true; NumPy takes any bits for a bool.
    return np.asarray(array.view(np.uint8) != 0) if array.dtype == bool else array


def _count(shape: tuple[int, ...]) -> int:
    if any(size < 0 for size in shape):
        raise ValueError(f"its shape {list(shape)} has a negative dimension")
    return prod(shape)


def _check_length(tensor: TensorProto, count: int) -> None:
    """Refuse a tensor that holds another number of entries than ``count``."""
    own = helper.tensor_dtype_to_field(tensor.data_type)
    given = [name for name in _FIELDS if len(getattr(tensor, name))]
    if given and (given != [own] or tensor.raw_data):
        raise ValueError(f"its numbers are in {', '.join(given)}: expected {own} alone")
    bits = _PACKED.get(tensor.data_type)
    if given:
        held, unit = len(getattr(tensor, own)), "entries"
        needed = -(-count * bits // 8) if bits in (2, 4) else count
        if own == "int32_data":
            _check_range(tensor)
    else:
        held, unit = len(tensor.raw_data), "bytes"
        size = bits or 8 * from_code(tensor.data_type).itemsize
        needed = -(-count * size // 8)
    if held != needed:
        raise ValueError(
            f"it holds {held} {unit}: expected {needed} for shape {list(tensor.dims)}"
        )


def _check_range(tensor: TensorProto) -> None:
    """Refuse numbers that do not fit into the type that they are meant to be of."""
    dtype = from_code(tensor.data_type)
    low, high = 0, 2 ** (8 * dtype.itemsize) - 1
    if dtype.kind == "i":
        low, high = -(high // 2) - 1, high // 2
    numbers = np.array(tensor.int32_data)
    # Several of a packed type share what is then one byte.
    if (
        tensor.data_type not in _PACKED
        and not low <= numbers.min() <= numbers.max() <= high
    ):
        raise ValueError(f"its int32_data has entries that are no {dtype.name}")


def _dense(stored: SparseTensorProto) -> NDArray[Any]:
    shape = tuple(stored.dims)
    count = _count(shape)
    check_fits(shape)
    values, indices = array_of(stored.values), array_of(stored.indices)
    if indices.dtype != np.int64 or values.ndim != 1:
        raise ValueError("its indices are no INT64 or its values no list")
    # Indices are one number for each value, or one for each axis.
    whole = (count,) if indices.ndim == 1 else shape
    table = indices[:, None] if indices.ndim == 1 else indices
    if table.shape != (len(values), len(whole)) or not (
        (table >= 0).all() and (table < whole).all()
    ):
        raise ValueError(
            f"its {len(values)} values do not fit indices of shape {indices.shape} "
            f"in shape {list(shape)}"
        )
    places = np.ravel_multi_index(tuple(table.T), whole)
    if (np.diff(places) <= 0).any():
        raise ValueError("its indices are not in ascending order, each once")
    array = np.zeros(count, dtype=values.dtype)
    array[places] = values
    return array.reshape(shape)


def constant_of(node: NodeProto) -> NDArray[Any]:
    """Return what a node Constant holds.

    Raises
    ------
    ValueError
        If it is not exactly one attribute that ONNX knows, of real numbers.
    """
    if len(node.attribute) != 1:
        raise ValueError(f"it has {len(node.attribute)} attributes: expected one")
    (given,) = node.attribute
    match given.name, given.type:
        case "value", AttributeProto.TENSOR:
            return array_of(given.t)
        case "sparse_value", AttributeProto.SPARSE_TENSOR:
            return array_of(given.sparse_tensor)
        case "value_float", AttributeProto.FLOAT:
            return np.array(given.f, np.float32)
        case "value_floats", AttributeProto.FLOATS:
            return np.array(given.floats, np.float32)
        case "value_int", AttributeProto.INT:
            return np.array(given.i, np.int64)
        case "value_ints", AttributeProto.INTS:
            return np.array(given.ints, np.int64)
    raise ValueError(f"its attribute {given.name!r} is no tensor of real numbers")
