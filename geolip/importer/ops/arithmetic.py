"""Elementwise arithmetic with broadcasting."""

import numpy as np

from geolip.importer.algebra import aligned, scaled, total
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import PRODUCT, QUOTIENT, RefusedError

_MINUS = np.array(-1.0)


def _add(operation: Operation) -> Value:
    return total(aligned(operation.affines()))


def _mean(operation: Operation) -> Value:
    parts = operation.affines()
    # The reciprocal of a power of two is exact.
    rounded = int(len(parts) & (len(parts) - 1) > 0)
    share = np.array(1.0 / len(parts))
    return scaled(total(aligned(parts)), share, rounded)


def _subtract(operation: Operation) -> Value:
    left, right = aligned(operation.affines())
    return total([left, scaled(right, _MINUS)])


def _negate(operation: Operation) -> Value:
    return scaled(operation.affine(0), _MINUS)


def _multiply(operation: Operation) -> Value:
    """Ask for a constant factor."""
    left, right = operation.affines()
    if left.terms and right.terms:
        raise RefusedError(PRODUCT)
    varying, fixed = (right, left) if right.terms else (left, right)
    rounded = max(operation.rounded(0), operation.rounded(1))
    return scaled(varying, fixed.bias.reshape(fixed.shape), rounded)


def _divide(operation: Operation) -> Value:
    """Ask for a constant divisor."""
    dividend, divisor = operation.affines()
    if divisor.terms:
        raise RefusedError(QUOTIENT)
    # The reciprocal is rounded once more, to within half a unit in the last place.
    reciprocals = 1.0 / divisor.bias.reshape(divisor.shape)
    return scaled(dividend, reciprocals, rounded=1 + operation.rounded(1))


OPERATORS: dict[str, Reader] = {
    "Add": _add,
    "Div": _divide,
    "Mean": _mean,
    "Mul": _multiply,
    "Neg": _negate,
    "Sub": _subtract,
    "Sum": _add,
}
