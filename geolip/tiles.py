"""Large blocks cut into tiles, so that triangles are not multiplied as squares.

The factor of a large block is a triangle. Cut into tiles, its upper tiles are absent,
and so are those in which a convolution has no weight: ``L L'`` of a triangle costs a
third of what it costs as a square.
"""

from collections.abc import Sequence
from typing import NamedTuple

from geolip.arrays import Array
from geolip.blocks import BlockFactor, BlockMatrix, Blocks

# Rows of a tile: few enough to follow a triangle, enough for products at full speed.
_ROWS = 1024


class Tile(NamedTuple):
    """A range of the rows of one block."""

    block: int
    rows: slice

    @property
    def size(self) -> int:
        """The number of rows."""
        return int(self.rows.stop - self.rows.start)


def tiles(sizes: Sequence[int], rows: int = _ROWS) -> list[Tile]:
    """Return the tiles of blocks of the given sizes, in order."""
    return [
        Tile(block, slice(start, min(start + rows, size)))
        for block, size in enumerate(sizes)
        for start in range(0, max(size, 1), rows)
    ]


def tiled(matrix: BlockMatrix, parts: Sequence[Tile]) -> BlockMatrix:
    """Return a matrix with a block for every tile."""
    return BlockMatrix(tuple(part.size for part in parts), _cut(matrix.blocks, parts))


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
                piece = block[rows, columns]
                if i == j or piece.any():
                    found[i, j] = piece
            elif i == j:
                found[i, i] = block[rows]
    return found
