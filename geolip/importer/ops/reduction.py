"""Sums and means along axes."""

from collections.abc import Sequence
from math import prod

import numpy as np

from geolip.importer.algebra import entries, mapped
from geolip.importer.operation import Operation, Reader, Value
from geolip.network import Affine


def _sum(operation: Operation) -> Value:
    value = operation.affine(0)
    return _reduced(value, _axes(operation, value), _keeps(operation), mean=False)


def _mean(operation: Operation) -> Value:
    value = operation.affine(0)
    return _reduced(value, _axes(operation, value), _keeps(operation), mean=True)


def _global_mean(operation: Operation) -> Value:
    value = operation.affine(0)
    axes = range(2, len(value.shape))
    return _reduced(value, axes, keeps=True, mean=True)


def _keeps(operation: Operation) -> bool:
    return bool(operation.attributes["keepdims"])


def _axes(operation: Operation, value: Affine) -> Sequence[int]:
    """Return the axes to reduce: an attribute in old versions, an input in new ones."""
    given = operation.attributes.get("axes", [])
    if operation.has(1):
        given = operation.integers(1)
    rank = len(value.shape)
    if any(not -rank <= axis < rank for axis in given):
        raise ValueError(f"axes {list(given)} do not exist in shape {value.shape}")
    if not given and operation.attributes.get("noop_with_empty_axes", 0):
        return []
    return [axis % rank for axis in given] or range(rank)


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
