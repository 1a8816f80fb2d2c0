"""Sums and means along axes."""

from collections.abc import Sequence
from math import prod

import numpy as np

from geolip.importer.algebra import entries, mapped
from geolip.importer.axes import keeps_axes, reduced_axes
from geolip.importer.growth import check_fits
from geolip.importer.operation import Operation, Reader, Value
from geolip.linear import Dense
from geolip.network import Affine


def _along_axes(mean: bool) -> Reader:
    def read(operation: Operation) -> Value:
        value = operation.affine(0)
        axes = reduced_axes(operation, value.shape)
        return reduced(value, axes, keeps_axes(operation), mean)

    return read


def _global_mean(operation: Operation) -> Value:
    value = operation.affine(0)
    axes = range(2, len(value.shape))
    return reduced(value, axes, keeps=True, mean=True)


def reduced(value: Affine, axes: Sequence[int], keeps: bool, mean: bool) -> Affine:
    """Return the sums or means along axes, which are kept with length 1 or left out."""
    kept = reduced_shape(value.shape, axes, keeps=True)
    count = prod(value.shape[axis] for axis in axes)
    if not count:
        raise ValueError("it reduces an axis without entries")
    rows = np.arange(prod(kept), dtype=np.int64).reshape(kept)
    columns = np.arange(value.size, dtype=np.int64).reshape(value.shape)
    weight = 1.0 / count if mean else 1.0
    rounded = int(mean and count > 1)
    operator = entries(rows, columns, weight, (rows.size, value.size), rounded)
    return mapped(value, operator, reduced_shape(value.shape, axes, keeps))


def reduced_shape(
    shape: tuple[int, ...], axes: Sequence[int], keeps: bool
) -> tuple[int, ...]:
    """Return the shape that is left, where axes are kept with length 1 or left out."""
    if keeps:
        return tuple(1 if axis in axes else n for axis, n in enumerate(shape))
    return tuple(n for axis, n in enumerate(shape) if axis not in axes)


def _cumulative_sum(operation: Operation) -> Value:
    """Ask for a constant axis."""
    value = operation.affine(0)
    (axis,), rank = operation.integers(1), len(value.shape)
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} does not exist in shape {value.shape}")
    check_fits([value.shape[axis]] * 2)
    before, (n, *after) = value.shape[: axis % rank], value.shape[axis % rank :]
    ones = np.tril(np.ones((n, n)), -1 if operation.attributes["exclusive"] else 0)
    matrix = ones.T.copy() if operation.attributes["reverse"] else ones
    return mapped(value, Dense(matrix, prod(before), prod(after)), value.shape)


OPERATORS: dict[str, Reader] = {
    "CumSum": _cumulative_sum,
    "GlobalAveragePool": _global_mean,
    "ReduceMean": _along_axes(mean=True),
    "ReduceSum": _along_axes(mean=False),
}
