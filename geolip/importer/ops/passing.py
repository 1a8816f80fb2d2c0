"""Operators that pass their input on unchanged."""

import numpy as np

from geolip.importer.elements import from_code, widens
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError


def _identity(operation: Operation) -> Value:
    return operation.affine(0)


def _dropout(operation: Operation) -> list[Value]:
    if operation.has(2) and operation.stored(2).any():
        raise RefusedError("is in training mode: export the model for inference")
    value = operation.affine(0)
    return [value, np.ones(value.shape, dtype=bool)]


def _cast(operation: Operation) -> Value:
    source, target = operation.types[0], from_code(operation.attributes["to"])
    if source is None or not widens(source, target):
        raise RefusedError(f"casts activations to {target.name}, which rounds them")
    return operation.affine(0)


OPERATORS: dict[str, Reader] = {
    "Cast": _cast,
    "Dropout": _dropout,
    "Identity": _identity,
}
