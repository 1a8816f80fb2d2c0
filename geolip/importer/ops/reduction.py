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


def _sum(operation: Operation) -> Value:
    value = operation.affine(0)
    return reduced(
        value, reduced_axes(operation, value.shape), keeps_axes(operation), mean=False
    )


def _mean(operation: Operation) -> Value:
    value = operation.affine(0)
    return reduced(
        value, reduced_axes(operation, value.shape), keeps_axes(operation), mean=True
    )


def _global_mean(operation: Operation) -> Value:
    value = operation.affine(0)
    axes = range(2, len(value.shape))
    return reduced(value, axes, keeps=True, mean=True)


def reduced(value: Affine, axes: Sequence[int], keeps: bool, mean: bool) -> Affine:
    """Return the sums or means along axes, which are kept with length 1 or left out."""
    sizes = list(enumerate(value.shape))
    kept = tuple(1 if axis in axes else n for axis, n in sizes)
    count = prod(n for axis, n in sizes if axis in axes)
    if not count:
        raise ValueError("it reduces an axis without entries")
    rows = np.arange(prod(kept), dtype=np.int64).reshape(kept)
    columns = np.arange(value.size, dtype=np.int64).reshape(value.shape)
    weight = 1.0 / count if mean else 1.0
    rounded = int(mean and count > 1)
    operator = entries(rows, columns, weight, (rows.size, value.size), rounded)
    rest = tuple(n for axis, n in sizes if axis not in axes)
    return mapped(value, operator, kept if keeps else rest)


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
    "ReduceMean": _mean,
    "ReduceSum": _sum,
}
