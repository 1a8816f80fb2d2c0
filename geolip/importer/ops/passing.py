"""Operators that pass their input on unchanged."""

from typing import Any

import numpy as np

from geolip.importer.elements import from_code, widens
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError


def _identity(operation: Operation) -> Value:
    return operation.affine(0)


def _dropout(operation: Operation) -> list[Value]:
    """Ask for inference mode."""
    if operation.has(2) and operation.stored(2).any():
        raise RefusedError("is in training mode: export the model for inference")
    value = operation.affine(0)
    return [value, np.ones(value.shape, dtype=bool)]


def _cast(operation: Operation) -> Value:
    """Ask for a type that holds all numbers of the input's."""
    return _widened(operation, from_code(operation.attributes["to"]))


def _cast_like(operation: Operation) -> Value:
    """Ask for a type that holds all numbers of the input's."""
    (value, _), (source, target) = operation.inputs, operation.types
    if target is None:
        raise ValueError("its second input is missing")
    if isinstance(value, np.ndarray) and not (source and widens(source, target)):
        held = value.astype(target)
        back = held.astype(value.dtype)
        if ((back == value) | (np.isnan(back) & np.isnan(value))).all():
            return held
    return _widened(operation, target)


def _widened(operation: Operation, target: np.dtype[Any]) -> Value:
    value, source = operation.inputs[0], operation.types[0]
    if source is None or not widens(source, target):
        what = "constants" if isinstance(value, np.ndarray) else "activations"
        raise RefusedError(f"casts {what} to {target.name}, which rounds them")
    # A constant may be infinite, as in masks.
    return value if isinstance(value, np.ndarray) else operation.affine(0)


OPERATORS: dict[str, Reader] = {
    "Cast": _cast,
    "CastLike": _cast_like,
    "Dropout": _dropout,
    "Identity": _identity,
}
