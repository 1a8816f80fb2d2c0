"""Padding, also by negative amounts, which cut off."""

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.importer.algebra import constant, numbered, rearranged
from geolip.importer.growth import check_fits
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError


def _pad(operation: Operation) -> Value:
    """Ask for constant pads, negative ones in mode constant only."""
    value = operation.affine(0)
    mode = operation.attributes["mode"]
    if mode not in ("constant", "edge", "reflect", "wrap"):
        raise ValueError(f"its mode {mode!r} is unknown")
    amounts = _amounts(operation, len(value.shape))
    if mode != "constant" and (amounts < 0).any():
        raise RefusedError(f"negative pads in mode {mode!r} are not supported")
    growth = np.maximum(amounts, 0).tolist()
    check_fits([n + sum(g) for n, g in zip(value.shape, growth, strict=True)])
    fill = _fill(operation)
    numbers, (filler,) = numbered([value, constant(fill)])
    options = {"constant_values": filler} if mode == "constant" else {}
    padded = np.pad(numbers, growth, mode=mode, **options)
    cut = tuple(
        slice(max(0, -before), max(0, n + min(0, after)))
        for n, (before, after) in zip(padded.shape, amounts.tolist(), strict=True)
    )
    return rearranged([value, constant(fill)], padded[cut])


def _amounts(operation: Operation, rank: int) -> NDArray[np.int64]:
    """Return the cells to add before and after every axis, (rank, 2)."""
    pads = operation.attributes.get("pads") or operation.integers(1)
    axes = operation.integers(3) if operation.has(3) else list(range(rank))
    distinct = {axis % rank for axis in axes if -rank <= axis < rank}
    if not len(distinct) == len(axes) == len(pads) / 2:
        raise ValueError(f"its pads {pads} do not fit the axes {axes} of {rank}")
    amounts = np.zeros((rank, 2), dtype=np.int64)
    amounts[axes] = np.reshape(pads, (2, -1)).T
    return amounts


def _fill(operation: Operation) -> Array:
    """Return the number to pad with, shape (1,)."""
    if operation.has(2):
        return operation.real(2).reshape(1)
    fill = np.array([operation.attributes.get("value", 0.0)])
    if not np.isfinite(fill).all():
        raise ValueError("it pads with NaN or an infinite number")
    return fill


OPERATORS: dict[str, Reader] = {"Pad": _pad}
