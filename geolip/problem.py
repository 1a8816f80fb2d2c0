"""The semidefinite relaxation of a Lipschitz constant, as structure.

A problem is a network of differences whose output is what is bounded, and the norm of
the input. Its multipliers (tau, D) >= 0 make the matrix

    B(tau, D) = diag(tau) on x + sum_i d_i [(e_i - a_i w_i)(e_i - b_i w_i)' +
    transposed]

where e_i selects neuron i and w_i its pre-activation. If B is positive definite, then
``||C v|| <= sqrt(T(tau) lambda_max(C B^-1 C')) ||x||`` with the output measured in l_2
(for a single output: its absolute value).

Source: docs/theory.md section 3; GeoLIP (Wang, Prakriya, Jha, NeurIPS 2022), dual SDP,
for l_inf inputs; LipSDP-Neuron (Fazlyab et al., NeurIPS 2019) for l_2 inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geolip.arrays import Array, is_short
from geolip.blocks import BlockMatrix
from geolip.multipliers import Multipliers
from geolip.norms import Norm
from geolip.sectors import Gradients, LinearMap, SectorBlock, SectorNetwork


@dataclass(frozen=True, eq=False)
class Problem:
    """Bound ``||C v||_2`` over the unit ball of the input norm.

    Parameters
    ----------
    network : SectorNetwork
        Without dead neurons (see `geolip.presolve`); its output map is C.
    norm : Norm
        The norm of the input differences.
    """

    network: SectorNetwork
    norm: Norm

    @property
    def is_trivial(self) -> bool:
        """Whether the output does not depend on the input."""
        return self.network.input_size == 0 or not self.network.output.terms

    @property
    def numbers(self) -> float:
        """About how many float64 numbers a repair or a verification holds at once."""
        sizes = self.network.sizes
        links: dict[int, set[int]] = {k: set() for k in range(len(sizes))}
        for k, block in enumerate(self.network.blocks, 1):
            links[k] |= set(block.preactivation.terms)
        total = 0.0
        for k in range(len(sizes) - 1, -1, -1):
            around = {j for j in links[k] if j < k}
            total += sizes[k] * (sizes[k] + sum(sizes[j] for j in around))
            for j in around:
                links[j] |= {i for i in around if i < j}
        # Operators, B, its scaled copy and its factor.
        return 4.0 * total

    @cached_property
    def magnitudes(self) -> list[Array]:
        """How large each coordinate can get at most, about; it scales as they do.

        By blocks 0..K, as |A| and |slope| carry ones from the input.
        """
        values = [np.ones((self.network.input_size, 1))]
        for block in self.network.blocks:
            slope = np.maximum(np.abs(block.lower), np.abs(block.upper))
            values.append(slope[:, None] * block.preactivation.absolute.apply(values))
        return [value[:, 0] for value in values]

    def matrix(self, multipliers: Multipliers) -> BlockMatrix:
        """Return B(tau, D)."""
        blocks: dict[tuple[int, int], Array] = {(0, 0): self.input_block(multipliers)}
        for k, d in enumerate(multipliers.d, 1):
            blocks[k, k] = 2.0 * d
            for place, term in self.terms(k, d).items():
                blocks[place] = _add(blocks.get(place), term)
        return BlockMatrix(self.network.sizes, blocks)

    def input_block(self, multipliers: Multipliers) -> Array:
        """Return tau, or a matrix if there are triangles: what they put on x in B."""
        if not multipliers.triangles:
            return multipliers.tau
        return _add(multipliers.tau, multipliers.triangles.matrix())

    def budget(self, multipliers: Multipliers) -> float:
        """Return about the largest ``x'Bx`` over the unit ball, with no neuron moving.

        The unit balls of all norms lie in the cube, where triangles are valid.
        """
        return self.norm.budget(multipliers.tau) + multipliers.triangles.budget()

    def terms(self, k: int, d: Array) -> dict[tuple[int, int], Array]:
        """Return what block k's multipliers add to B, but for the diagonal 2 d.

        Returns
        -------
        dict of (i, j) to array, i >= j
            Block (k, j) for everything that block k reads, and where both ends of a
            sector are non-zero the blocks (i, j) between its readings.
        """
        block = self.network.blocks[k - 1]
        cross = -d * (block.lower + block.upper)
        square = 2.0 * d * block.lower * block.upper
        reads = {j: A.dense() for j, A in block.preactivation.terms.items()}
        terms = {(k, j): cross[:, None] * A for j, A in reads.items()}
        if square.any():
            for i, left in reads.items():
                for j, right in reads.items():
                    if j <= i:
                        terms[i, j] = left.T @ (square[:, None] * right)
        return terms

    def majorant(self, multipliers: Multipliers, V: Sequence[Array]) -> list[Array]:
        """Return M V for a matrix M that bounds |B| and all its partial results.

        Entries of B are formed with so many rounded operations, each of relative size
        u, as `roundings` tells, and that times ``u M`` bounds their error entrywise.
        """
        result = Gradients(self.network.sizes, V[0].shape[1])
        result.add(0, multipliers.tau[:, None] * V[0])
        if multipliers.triangles:
            result.add(0, multipliers.triangles.absolute() @ V[0])
        for k, d in enumerate(multipliers.d, 1):
            result.add(k, 2.0 * d[:, None] * V[k])
        for k, d in enumerate(multipliers.d, 1):
            block = self.network.blocks[k - 1]
            reading = block.preactivation.absolute
            cross = (d * np.abs(block.lower + block.upper))[:, None]
            square = (2.0 * d * np.abs(block.lower * block.upper))[:, None]
            read = reading.apply(V)
            result.add(k, cross * read)
            reading.add_adjoint(cross * V[k] + square * read, result)
        return [result[k] for k in range(len(V))]

    def roundings(self, multipliers: Multipliers) -> int:
        """Return how many roundings an entry of `matrix` may carry, 0 if it is exact.

        Products of two numbers of 24 significant bits are exact, such as those of
        rounded multipliers and float32 weights for sectors [0, 1].
        """
        blocks, overlap = self.network.blocks, multipliers.triangles.overlap
        if any((block.lower * block.upper).any() for block in blocks):
            most = max(block.preactivation.roundings for block in blocks)
            return max(self.network.sizes) + 2 * most + len(blocks) + overlap + 8
        counts = (
            0 if _is_exact(block, d) else 3 + block.preactivation.roundings
            for block, d in zip(blocks, multipliers.d, strict=True)
        )
        return max(counts, default=0) + overlap

    def output_majorant(self) -> list[Array]:
        """Return |C|' by blocks, with all partial results as in `majorant`."""
        return self._adjoint_columns(self.network.output.absolute)

    def output(self) -> list[Array]:
        """Return C' by blocks: one array (n_j, m) for each block j."""
        return self._adjoint_columns(self.network.output)

    def _adjoint_columns(self, output: LinearMap) -> list[Array]:
        parts = Gradients(self.network.sizes, output.size)
        output.add_adjoint(np.eye(output.size), parts)
        return [parts[k] for k in range(len(self.network.sizes))]


def _is_exact(block: SectorBlock, d: Array) -> bool:
    """Return whether d (a + b) A needs no rounding."""
    slopes = block.lower + block.upper
    return bool(
        (slopes == 1).all()
        and is_short(d)
        and all(A.is_short for A in block.preactivation.terms.values())
    )


def _add(block: Array | None, term: Array) -> Array:
    if block is None:
        return term
    return (np.diag(block) if block.ndim == 1 else block) + term
