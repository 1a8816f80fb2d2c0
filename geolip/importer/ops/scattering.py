"""Operators that write entries, or add them, at constant places of another tensor."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from geolip.importer.algebra import entries, mapped, numbered, rearranged, total
from geolip.importer.cells import cells_of
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError
from geolip.importer.window import declared_window
from geolip.network import Affine

Places = NDArray[np.int64]


def _scattering(places: Callable[[Operation, Places], Places]) -> Reader:
    """Return the reader of an operator that writes its updates at these places."""

    def read(operation: Operation) -> Value:
        """Ask for constant indices, reduction none (no index twice) or add."""
        data, updates = operation.affine(0), operation.affine(2)
        reduction = operation.attributes.get("reduction", "none")
        if reduction not in ("none", "add"):
            raise RefusedError(f"reduction {reduction!r} is not supported")
        flat = np.arange(data.size, dtype=np.int64).reshape(data.shape)
        targets = places(operation, flat)
        if targets.shape != updates.shape:
            raise ValueError(
                f"its updates have shape {updates.shape}: expected {targets.shape}"
            )
        if reduction == "add":
            return total([data, _added_up(updates, targets, data.shape)])
        if len(np.unique(targets)) < targets.size:
            raise RefusedError("writes an entry twice: runtimes disagree")
        numbers, written = numbered([data, updates])
        numbers.ravel()[targets] = written
        return rearranged([data, updates], numbers)

    return read


def _added_up(value: Affine, targets: Places, shape: Sequence[int]) -> Affine:
    """Return the tensor of zeros to which each entry is added at its target."""
    places = np.arange(value.size, dtype=np.int64)
    size = int(np.prod(shape))
    operator = entries(targets.ravel(), places, 1.0, (size, value.size))
    return mapped(value, operator, tuple(shape))


def _along_axis(operation: Operation, flat: Places) -> Places:
    indices, axis = operation.stored(1), operation.attributes["axis"]
    if indices.ndim != flat.ndim or not -flat.ndim <= axis < flat.ndim:
        raise ValueError(f"indices {indices.shape} do not fit data {flat.shape}")
    part = [slice(n) for n in indices.shape]
    part[axis] = slice(None)
    return np.take_along_axis(
        flat[tuple(part)], _inside(indices, flat.shape[axis]), axis
    )


def _at_tuples(operation: Operation, flat: Places) -> Places:
    indices = operation.stored(1)
    sizes = np.array(flat.shape[: indices.shape[-1]])
    return np.asarray(flat[tuple(np.moveaxis(_inside(indices, sizes), -1, 0))])


def _inside(indices: NDArray[np.integer], size: int | Places) -> Places:
    """Return indices counted from the front."""
    if ((indices < -size) | (indices >= size)).any():
        raise ValueError("an index is outside its axis")
    return np.where(indices < 0, indices + size, indices)


def _column_to_image(operation: Operation) -> Value:
    """Ask for constant shapes."""
    value = operation.affine(0)
    space, taps = tuple(operation.integers(1)), tuple(operation.integers(2))
    window = declared_window(operation, len(space), taps)
    axes = zip(space, window.pads, window.extents, window.strides, strict=True)
    steps = tuple((n + sum(pads) - extent) // s + 1 for n, pads, extent, s in axes)
    count, blocks = int(np.prod(taps)), int(np.prod(steps))
    if len(value.shape) != 3 or value.shape[1] % count or value.shape[2] != blocks:
        raise ValueError(f"blocks {taps} at {blocks} places do not fit {value.shape}")
    batch, channels = value.shape[0], value.shape[1] // count
    shape = (batch, channels, *space)
    cells = cells_of(shape, window, steps).reshape(batch, channels, blocks, count)
    targets = cells.swapaxes(2, 3).ravel()
    (inside,) = np.nonzero(targets >= 0)
    size = (int(np.prod(shape)), value.size)
    return mapped(value, entries(targets[inside], inside, 1.0, size), shape)


OPERATORS: dict[str, Reader] = {
    "Col2Im": _column_to_image,
    "Scatter": _scattering(_along_axis),
    "ScatterElements": _scattering(_along_axis),
    "ScatterND": _scattering(_at_tuples),
}
