"""Maxima as ReLU neurons: ``max(a, b) = a + relu(b - a)``, exactly.

With a slope s in [0, 1] of the ReLU this is ``(1 - s) a + s b``, any mean of the two: a
maximum moves like that and nothing is lost. But products of layers' norms would lose
that it is a mean, so that the result is a block of linear neurons of which it is known.

Source: docs/theory.md section 2.
"""

from collections.abc import Generator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geolip.activations import linear, relu
from geolip.importer.algebra import entries, mapped, rearranged, total
from geolip.network import Affine, Block
from geolip.sectors import Mixture

Cells: TypeAlias = NDArray[np.int64]

Layered: TypeAlias = Generator[Block, Affine, Affine]
"""Yields blocks, is sent the output of each, and returns a tensor."""

NOTHING = -1


def larger(name: str, value: Affine, left: Cells, right: Cells) -> Layered:
    """Return the larger of coordinates ``left[i]`` and ``right[i]`` of a tensor.

    The shortcut is from ``left``: where it is constant there is none.
    """
    rows = np.arange(len(left), dtype=np.int64)
    difference = entries(
        np.stack([rows, rows]),
        np.stack([right, left]),
        np.array([[1.0], [-1.0]]),
        (len(left), value.size),
    )
    excess = yield Block(name, mapped(value, difference, left.shape), relu())
    return total([rearranged([value], left + 1), excess])


def largest(name: str, value: Affine, cells: Cells) -> Generator[Block, Affine, Affine]:
    """Return the largest coordinate of every window.

    Parameters
    ----------
    name : str
        Of the blocks.
    value : Affine
        A tensor.
    cells : array of int (windows, k_1, ..., k_d)
        The coordinates in every window, `NOTHING` for a place without one. What is
        shared between windows along the last axes is compared once.

    Returns
    -------
    Layered
        Of a vector (windows,).

    Raises
    ------
    ValueError
        If a window has no coordinates.
    """
    overlap = int(np.bincount(cells[cells != NOTHING]).max(initial=0))
    mixture = Mixture(value.linear, overlap, cells.reshape(len(cells), -1))
    while cells.ndim > 1:
        if cells.shape[-1] > 1:
            value, cells = yield from _halved(name, value, cells)
        else:
            cells = cells[..., 0]
    if (cells == NOTHING).any():
        raise ValueError("a window lies in the padding: it has no largest entry")
    result = rearranged([value], cells + 1)
    return (yield Block(name, result, linear("Max"), mixture))


def _halved(
    name: str, value: Affine, cells: Cells
) -> Generator[Block, Affine, tuple[Affine, Cells]]:
    """Return a tensor and cells with half as many coordinates on the last axis."""
    count = cells.shape[-1] // 2 * 2
    ends = np.sort(np.stack([cells[..., :count:2], cells[..., 1:count:2]]), axis=0)
    left, right = ends
    # Where there is nothing, or the same, on one side, the other is the larger.
    alone = (left == NOTHING) | (left == right)
    pairs, order = np.unique(
        left[~alone] * value.size + right[~alone], return_inverse=True
    )
    maxima = yield from larger(name, value, pairs // value.size, pairs % value.size)
    found = np.empty_like(left)
    found[alone] = right[alone]
    found[~alone] = value.size + order
    rest = np.concatenate([found, cells[..., count:]], axis=-1)
    # Only what is still compared is kept.
    kept, places = np.unique(rest, return_inverse=True)
    some = kept[kept != NOTHING]
    places = places.reshape(rest.shape) - (len(kept) - len(some))
    return rearranged([value, maxima], some + 1), places
