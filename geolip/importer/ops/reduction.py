"""Sums and means along axes."""

from collections.abc import Sequence
from math import prod

import numpy as np

from geolip.importer.algebra import entries, mapped
from geolip.importer.axes import keeps_axes, reduced_axes
from geolip.importer.operation import Operation, Reader, Value
from geolip.network import Affine


def _sum(operation: Operation) -> Value:
    value = operation.affine(0)
    return _reduced(
        value, reduced_axes(operation, value.shape), keeps_axes(operation), mean=False
    )


def _mean(operation: Operation) -> Value:
    value = operation.affine(0)
    return _reduced(
        value, reduced_axes(operation, value.shape), keeps_axes(operation), mean=True
    )


def _global_mean(operation: Operation) -> Value:
    value = operation.affine(0)
    axes = range(2, len(value.shape))
    return _reduced(value, axes, keeps=True, mean=True)


def _reduced(value: Affine, axes: Sequence[int], keeps: bool, mean: bool) -> Affine:
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


OPERATORS: dict[str, Reader] = {
    "GlobalAveragePool": _global_mean,
    "ReduceMean": _mean,
    "ReduceSum": _sum,
}
