"""Large blocks cut into tiles, so that what is zero is not computed with.

The factor of a large block is a triangle. Cut into tiles, its upper tiles are absent:
``L L'`` of a triangle costs a third of what it costs as a square.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.blocks import BlockFactor, BlockMatrix, Blocks

# Rows of a tile: few enough to follow a triangle, enough for products at full speed.
_ROWS = 1024

Rows = slice | NDArray[np.intp]


class Tile(NamedTuple):
    """Some rows of one block."""

    block: int
    rows: Rows

    @property
    def size(self) -> int:
        """The number of rows."""
        rows = self.rows
        return int(rows.stop - rows.start) if isinstance(rows, slice) else len(rows)


def tiles(sizes: Sequence[int], rows: int = _ROWS) -> list[Tile]:
    """Return the tiles of blocks of the given sizes, in order."""
    return [
        Tile(block, slice(start, min(start + rows, size)))
        for block, size in enumerate(sizes)
        for start in range(0, max(size, 1), rows)
    ]


def submatrix(matrix: Array, rows: Rows, columns: Rows) -> Array:
    """Return some rows and columns of a matrix: a view, if both are ranges."""
    return np.asarray(matrix[rows][:, columns])


def tiled(matrix: BlockMatrix, parts: Sequence[Tile]) -> BlockMatrix:
    """Return a matrix with a block for every tile."""
    return BlockMatrix(tuple(part.size for part in parts), _cut(matrix.blocks, parts))


def cut(vectors: Sequence[Array], parts: Sequence[Tile]) -> list[Array]:
    """Return the rows of every tile, of arrays (n_k,) or (n_k, r) by blocks."""
    return [vectors[tile.block][tile.rows] for tile in parts]


def joined(pieces: Sequence[Array], parts: Sequence[Tile]) -> list[Array]:
    """Return by blocks what was cut into all of their tiles."""
    sizes = [0] * (parts[-1].block + 1)
    for tile in parts:
        sizes[tile.block] += tile.size
    whole = [np.empty((size, *pieces[0].shape[1:])) for size in sizes]
    for tile, piece in zip(parts, pieces, strict=True):
        whole[tile.block][tile.rows] = piece
    return whole


def tiled_factor(factor: BlockFactor, parts: Sequence[Tile]) -> BlockFactor:
    """Return a factor with a block for every tile."""
    order = [i for k in factor.order for i, part in enumerate(parts) if part.block == k]
    sizes = tuple(part.size for part in parts)
    return BlockFactor(sizes, tuple(order), _cut(factor.factors, parts))


def _cut(blocks: Blocks, parts: Sequence[Tile]) -> Blocks:
    """Return the tiles of lower blocks, without those that are zero."""
    found: dict[tuple[int, int], Array] = {}
    for i, (row, rows) in enumerate(parts):
        for j, (column, columns) in enumerate(parts):
            block = blocks.get((row, column))
            if block is None or (row == column and i < j):
                continue
            if block.ndim == 2:
                piece = submatrix(block, rows, columns)
                if i == j or piece.any():
                    found[i, j] = piece
            elif i == j:
                found[i, i] = block[rows]
    return found
