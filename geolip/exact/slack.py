"""The matrix B(tau, D) of a network, entry by entry, without rounding.

It has a block for every tile of the network's blocks; what has no entries is absent.
Rows and columns are multiplied by powers of two that bring the diagonal below one;
that changes neither definiteness nor ``C B^-1 C'`` if C is scaled along.

Source: docs/theory.md section 3; docs/certificates.md section 3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockMatrix, Blocks, added
from geolip.errors import RefusedCertificateError
from geolip.exact.entries import (
    Entries,
    carried,
    entries,
    long_products,
    pieces,
    products,
    sum_of_sizes,
)
from geolip.exact.fixed import EXACT, Fixed, fixed, total
from geolip.exact.readings import matrix_tiles
from geolip.multipliers import Multipliers
from geolip.sectors import SectorNetwork
from geolip.strips import strips
from geolip.tiles import Tile, cut, submatrix

# Digits that entries of B are held to: 2^-84.
_DIGITS = 4
# Multipliers may be so many binary orders from one.
_RANGE = 300


@dataclass(frozen=True, eq=False)
class Slack:
    """B and C' by blocks, scaled.

    Parameters
    ----------
    sizes : tuple of int
        Rows in every block.
    diagonals : sequence of Fixed (1, n_i)
        What B has on the diagonal of every block, at least.
    blocks : mapping of (i, j) to Fixed, i >= j
        The rest of B's lower blocks; one that is missing is zero.
    outputs : sequence of Entries (n_i, m)
        C' by blocks.
    """

    sizes: tuple[int, ...]
    diagonals: Sequence[Fixed]
    blocks: Mapping[tuple[int, int], Fixed]
    outputs: Sequence[Entries]

    @cached_property
    def floats(self) -> BlockMatrix:
        """B in float64, about."""
        return BlockMatrix(self.sizes, self.each(Fixed.floats))

    def each(self, piece: Callable[[Fixed], Array]) -> Blocks:
        """Return B's lower blocks, with one piece of all its numbers."""
        blocks = {place: piece(block) for place, block in self.blocks.items()}
        return added(
            blocks, {(i, i): piece(own)[0] for i, own in enumerate(self.diagonals)}
        )

    def errors(self) -> Blocks:
        """Return by how much entries may differ from the real ones."""
        doubtful = {place: b for place, b in self.blocks.items() if b.error.any()}
        known = replace(self, blocks=doubtful)
        return known.each(lambda block: np.broadcast_to(block.error, block.shape))


def slack(network: SectorNetwork, multipliers: Multipliers) -> Slack:
    """Return B and C of a network without dead or linear neurons.

    Raises
    ------
    RefusedCertificateError
        If multipliers do not fit the network, are not positive, or differ too much in
        size for exact arithmetic.
    """
    _check(network, multipliers)
    tiles = strips(network)
    places = {
        block: {k: tile.rows for k, tile in enumerate(tiles) if tile.block == block}
        for block in range(len(network.sizes))
    }
    scales = cut(_scales(network, multipliers), tiles)
    own = cut([multipliers.tau, *(2.0 * d for d in multipliers.d)], tiles)
    weights = [d * scale**2 for d, scale in zip(own, scales, strict=True)]
    diagonals = [fixed([weight[None]], _DIGITS) for weight in weights]
    blocks: dict[tuple[int, int], list[Fixed]] = {}

    def put(i: int, j: int, parts: Sequence[Array], error: Array) -> None:
        blocks.setdefault((i, j), []).append(fixed(parts, _DIGITS, error))

    for number, layer in enumerate(network.blocks, 1):
        matrices = [
            matrix_tiles(A, places[number], places[block])
            for block, A in layer.preactivation.terms.items()
        ]
        for k, rows in places[number].items():
            # Readings per own scale have entries of about one at the most.
            reads = {
                j: A.scaled(1 / scales[k], scales[j])
                for matrix in matrices
                for j, A in matrix[k].items()
            }
            ends = pieces(layer.lower[rows]), pieces(layer.upper[rows])
            cross = products(pieces(-weights[k] / 2), [*ends[0], *ends[1]])
            for j, A in reads.items():
                parts = long_products([c[:, None] for c in cross], A.parts)
                put(k, j, parts, carried(sum_of_sizes(cross)[:, None], A.error))
            if not (layer.lower[rows] * layer.upper[rows]).any():
                continue
            square = products(products(pieces(weights[k]), ends[0]), ends[1])
            for i, left in reads.items():
                for j, right in reads.items():
                    if j <= i:
                        gram = _gram(left, square, right)
                        blocks.setdefault((i, j), []).append(gram)
    for whole in multipliers.triangles.layers() if multipliers.triangles else ():
        for i, rows in places[0].items():
            for j in range(i + 1):
                numbers = submatrix(whole, rows, places[0][j])
                put(i, j, pieces(scales[i][:, None] * numbers * scales[j]), EXACT)
    summed = {place: total(terms) for place, terms in blocks.items()}
    sizes = tuple(tile.size for tile in tiles)
    return Slack(sizes, diagonals, summed, _outputs(network, tiles, scales))


def _check(network: SectorNetwork, multipliers: Multipliers) -> None:
    if not multipliers.usable(network.sizes):
        raise RefusedCertificateError(
            "multipliers do not fit the network, or are not positive numbers"
        )
    parts = [*multipliers, multipliers.triangles.weights]
    exponents = np.concatenate([np.frexp(part)[1] for part in parts])
    if np.abs(exponents).max(initial=0) > _RANGE:
        raise RefusedCertificateError(
            f"multipliers outside 2^-{_RANGE} .. 2^{_RANGE}: scale them all alike"
        )


@np.errstate(all="ignore")
def _scales(network: SectorNetwork, multipliers: Multipliers) -> list[Array]:
    """Return powers of two by blocks that bring B's diagonal below one, about."""
    diagonal = [np.array(multipliers.tau), *(2.0 * d for d in multipliers.d)]
    for layer in multipliers.triangles.layers() if multipliers.triangles else ():
        diagonal[0] += np.abs(np.diagonal(layer))
    for block, d in zip(network.blocks, multipliers.d, strict=True):
        square = np.maximum(2.0 * d * block.lower * block.upper, 0.0)
        if square.any():
            for j, A in block.preactivation.terms.items():
                diagonal[j] += square @ A.dense() ** 2
    exponents = [np.frexp(part)[1] for part in diagonal]
    return [np.ldexp(1.0, -((exponent + 1) // 2)) for exponent in exponents]


def _gram(left: Entries, square: Sequence[Array], right: Entries) -> Fixed:
    """Return left' diag(square) right."""
    weighted = products([s[:, None] for s in square], right.parts)
    error = carried(sum_of_sizes(square)[:, None], right.error)
    return fixed([p.T for p in left.parts], 2 * _DIGITS, left.error.T).times(
        fixed([p.T for p in weighted], 2 * _DIGITS, error.T)
    )


def _outputs(
    network: SectorNetwork, tiles: Sequence[Tile], scales: Sequence[Array]
) -> list[Entries]:
    every, ones = slice(None), np.ones(network.output.size)
    whole = {j: entries(A) for j, A in network.output.terms.items()}
    return [
        whole[block].part(every, rows).scaled(ones, scale).transposed()
        if block in whole
        else Entries([np.zeros((len(scale), len(ones)))])
        for (block, rows), scale in zip(tiles, scales, strict=True)
    ]
