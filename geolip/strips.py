"""Layers of convolutions in strips of neurons that are near each other.

Strips that are far apart have nothing in common: a matrix and its factor have tiles
near the diagonal only. Nothing rests on where neurons are taken to be but speed.
"""

from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.sectors import LinearMap, SectorNetwork
from geolip.tiles import Tile, tiles

# About as many neurons in a strip of the largest layer that has strips.
_STRIP = 128
# Readings that spread wider, as a standard deviation, are from all over the place.
_WIDEST = 0.15
# Neurons whose readings tell how the input is laid out.
_SAMPLES = 8


def strips(network: SectorNetwork) -> list[Tile]:
    """Return tiles of a network's blocks, in order: strips of layers that are local."""
    where = positions(network)
    neurons = zip(network.sizes[1:], where[1:], strict=True)
    local = (size for size, place in neurons if place is not None)
    count = max(1, max(local, default=0) // _STRIP)
    found: list[Tile] = []
    for block, (size, place) in enumerate(zip(network.sizes, where, strict=True)):
        if place is None or count == 1:
            found += [Tile(block, part.rows) for part in tiles([size])]
        else:
            order = np.argsort(place, kind="stable")
            ends = np.searchsorted(place[order], np.arange(1, count) / count)
            parts = np.split(order, ends)
            found += [Tile(block, np.sort(rows)) for rows in parts if rows.size]
    return found


def positions(network: SectorNetwork) -> list[Array | None]:
    """Return by blocks where each coordinate is, from 0 to 1.

    None for a block whose coordinates are nowhere, as those of dense layers.
    """
    # Not as a decorator, which numpy 1 shares with threads that are in a decision.
    with np.errstate(all="ignore"):
        found = [_input_positions(network)]
        for block in network.blocks:
            found.append(_mean_positions(block.preactivation, found))
    return found


def _input_positions(network: SectorNetwork) -> Array | None:
    """Return positions in planes (height, width), of which there may be several."""
    size, seen = network.input_size, []
    for block in network.blocks:
        if 0 in block.preactivation.terms:
            some = np.linspace(0, block.size - 1, _SAMPLES).astype(int)
            units = np.zeros((block.size, len(some)))
            units[some, np.arange(len(some))] = 1.0
            reads = block.preactivation.terms[0].absolute.adjoint(units) != 0
            seen += [p for column in reads.T if (p := np.flatnonzero(column)).size]
    if not seen or any(places.size > size / 2 for places in seen):
        return None
    best, narrowest = None, _WIDEST
    for plane in (plane for plane in range(2, size + 1) if size % plane == 0):
        where = (np.arange(size) % plane + 0.5) / plane
        spread = np.mean([np.std(where[places]) for places in seen])
        if spread < narrowest:
            best, narrowest = where, spread
    return best


def _mean_positions(reading: LinearMap, known: Sequence[Array | None]) -> Array | None:
    """Return the mean positions of what is read, None if that is spread widely."""
    values = []
    for j, where in enumerate(known):
        if where is None and j in reading.terms:
            return None
        where = np.zeros(1) if where is None else where
        values.append(np.stack([np.ones_like(where), where, where**2], axis=1))
    moments = reading.absolute.apply(values)
    mean, square = (moments[:, 1:] / moments[:, :1]).T
    spread = np.sqrt(np.maximum(square - mean**2, 0.0)).mean()
    # Written so that NaN is nowhere.
    return mean if spread < _WIDEST else None
