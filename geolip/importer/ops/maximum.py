"""Largest and smallest entries: of several tensors, of windows, along axes."""

from dataclasses import replace
from math import prod

import numpy as np

from geolip.activations import linear
from geolip.importer.algebra import aligned, rearranged, scaled, total
from geolip.importer.axes import keeps_axes, reduced_axes
from geolip.importer.cells import pooled_cells
from geolip.importer.largest import NOTHING, Cells, Layered, largest
from geolip.importer.operation import Layers, Operation, Reader
from geolip.importer.refusals import RefusedError
from geolip.network import Affine, Block
from geolip.sectors import Mixture

_MINUS = np.array(-1.0)
_OTHER = {"Max": "Min", "Min": "Max"}


def _of_tensors(operation: Operation) -> Layers:
    kind = operation.node.op_type
    parts = aligned(operation.affines())
    other = operation.siblings.get(_OTHER[kind])
    # Constants come first, so that there is no shortcut around the neurons.
    parts.sort(key=lambda part: len(part.terms) > 0)
    places = np.arange(sum(part.size for part in parts), dtype=np.int64)
    together = rearranged(parts, places + 1)
    if other is not None and len(parts) == 2:
        # max(a, b) + min(a, b) = a + b: the same neurons serve both.
        rest = total([*parts, scaled(other, _MINUS)])
        windows = places.reshape(2, -1).T
        mixture = Mixture(together.linear, overlap=1, windows=windows)
        return (yield Block(operation.name, rest, linear(kind), mixture))
    cells = places.reshape(len(parts), -1).T
    return (yield from _extreme(operation, together, cells, parts[0].shape))


def _of_windows(operation: Operation) -> Layers:
    """Ask for Indices that nobody reads."""
    value = operation.affine(0)
    cells, shape = pooled_cells(operation, value.shape)
    found = yield from _extreme(operation, value, np.maximum(cells, NOTHING), shape)
    return [found, RefusedError("its Indices jump, so they have no Lipschitz constant")]


def _of_axes(operation: Operation) -> Layers:
    value = operation.affine(0)
    axes = reduced_axes(operation, value.shape)
    return (yield from _reduced(operation, list(axes), keeps_axes(operation)))


def _of_space(operation: Operation) -> Layers:
    axes = list(range(2, len(operation.affine(0).shape)))
    return (yield from _reduced(operation, axes, keeps=True))


def _reduced(operation: Operation, axes: list[int], keeps: bool) -> Layers:
    value = operation.affine(0)
    lengths = [value.shape[axis] for axis in axes]
    if not prod(lengths):
        raise ValueError("it reduces an axis without entries")
    places = np.arange(value.size, dtype=np.int64).reshape(value.shape)
    last = np.moveaxis(places, axes, range(-len(axes), 0))
    rest = last.shape[: last.ndim - len(axes)]
    kept = tuple(1 if axis in axes else n for axis, n in enumerate(value.shape))
    cells = last.reshape(-1, *lengths)
    return (yield from _extreme(operation, value, cells, kept if keeps else rest))


def _extreme(
    operation: Operation, value: Affine, cells: Cells, shape: tuple[int, ...]
) -> Layered:
    """Return the largest or, as the operator's name says, smallest of every window."""
    if "Min" not in operation.node.op_type:
        found = yield from largest(operation.name, value, cells)
    else:
        opposite = scaled(value, _MINUS)
        found = yield from largest(operation.name, opposite, cells)
        found = scaled(found, _MINUS)
    return replace(found, shape=shape)


OPERATORS: dict[str, Reader] = {
    "GlobalMaxPool": _of_space,
    "Max": _of_tensors,
    "MaxPool": _of_windows,
    "Min": _of_tensors,
    "ReduceMax": _of_axes,
    "ReduceMin": _of_axes,
}
