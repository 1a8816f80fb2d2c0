"""The matrix B(tau, D) of a network, entry by entry, without rounding.

Rows and columns are multiplied by powers of two that bring the diagonal below one;
that changes neither definiteness nor ``C B^-1 C'`` if C is scaled along.

Source: docs/theory.md section 3; docs/certificates.md section 3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from geolip.exact.faults import proposing
from geolip.exact.fixed import EXACT, Fixed, fixed, total
from geolip.multipliers import Multipliers
from geolip.sectors import SectorNetwork
from geolip.tiles import Tile

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

    def each(self, part: Callable[[Fixed], Array]) -> Blocks:
        """Return B's lower blocks, with one part of all its numbers."""
        blocks = {place: part(block) for place, block in self.blocks.items()}
        return added(
            blocks, {(i, i): part(own)[0] for i, own in enumerate(self.diagonals)}
        )

    def errors(self) -> Blocks:
        """Return by how much entries may differ from the real ones."""
        return self.each(lambda block: np.broadcast_to(block.error, block.shape))

    def tiled(self, parts: Sequence[Tile]) -> "Slack":
        """Return B with a block for every tile, without C'."""
        blocks = {}
        for i, (row, rows) in enumerate(parts):
            for j, (column, columns) in enumerate(parts[: i + 1]):
                if (row, column) in self.blocks:
                    blocks[i, j] = self.blocks[row, column].part(rows, columns)
        whole = slice(None)
        diagonals = [self.diagonals[block].part(whole, rows) for block, rows in parts]
        return Slack(tuple(part.size for part in parts), diagonals, blocks, [])


def slack(network: SectorNetwork, multipliers: Multipliers) -> Slack:
    """Return B and C of a network without dead or linear neurons.

    Raises
    ------
    RefusedCertificateError
        If multipliers do not fit the network, are not positive, or differ too much in
        size for exact arithmetic.
    """
    _check(network, multipliers)
    scales = _scales(network, multipliers)
    blocks: dict[tuple[int, int], list[Fixed]] = {}

    def put(i: int, j: int, parts: Sequence[Array], error: Array) -> None:
        blocks.setdefault((i, j), []).append(fixed(parts, _DIGITS, error))

    own = [multipliers.tau, *(2.0 * d for d in multipliers.d)]
    diagonals = [
        fixed([(part * scale**2)[None]], _DIGITS)
        for part, scale in zip(own, scales, strict=True)
    ]
    for k, d in enumerate(multipliers.d, 1):
        block, weight = network.blocks[k - 1], d * scales[k] ** 2
        # Readings per own scale have entries of about one at the most.
        reads = {
            j: entries(A).scaled(1 / scales[k], scales[j])
            for j, A in block.preactivation.terms.items()
        }
        ends = pieces(block.lower), pieces(block.upper)
        cross = products(pieces(-weight), [*ends[0], *ends[1]])
        for j, A in reads.items():
            parts = long_products([c[:, None] for c in cross], A.parts)
            put(k, j, parts, carried(sum_of_sizes(cross)[:, None], A.error))
        if (block.lower * block.upper).any():
            square = products(products(pieces(2.0 * weight), ends[0]), ends[1])
            for i, left in reads.items():
                for j, right in reads.items():
                    if j <= i:
                        gram = _gram(left, square, right)
                        blocks.setdefault((i, j), []).append(gram)
    if multipliers.triangles:
        layers = multipliers.triangles.layers()
        scaled = (scales[0][:, None] * layer * scales[0] for layer in layers)
        put(0, 0, [piece for layer in scaled for piece in pieces(layer)], EXACT)
    summed = {place: total(terms) for place, terms in blocks.items()}
    return Slack(network.sizes, diagonals, summed, _outputs(network, scales))


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


@proposing
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


def _outputs(network: SectorNetwork, scales: Sequence[Array]) -> list[Entries]:
    ones = np.ones(network.output.size)
    return [
        entries(network.output.terms[j]).scaled(ones, scale).transposed()
        if j in network.output.terms
        else Entries([np.zeros((len(scale), len(ones)))])
        for j, scale in enumerate(scales)
    ]
