"""The lifted iteration on small networks, with one matrix for each block's readings.

As `solvers/lifted.py`, which is for networks of any size: here a call's fixed price
counts, and the start is the solution of a problem that is nearly the same.

Source: docs/solvers.md sections 1 and 9.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geolip.arrays import Array, row_norms
from geolip.linear import Dense
from geolip.multipliers import Multipliers
from geolip.norms import Norm
from geolip.problem import Problem
from geolip.repair import Promise, mended
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

# A neuron that moves less than this share of its block's largest hardly moves.
_STILL = 1e-10
# The least share of the largest tau, where inputs are eliminated.
_FLOOR = 1e-9
# Iterations: at least, at most, and at most without a start that is nearly right.
_FEWEST, _MOST, COLD = 10, 150, 2000
# Relative growth of the value at which the iteration stops: where the region is to be
# split anyway, and where its bound may decide.
_COARSE, _FINE = 1e-4, 1e-7


@dataclass(frozen=True, eq=False)
class Point:
    """A primal point of the relaxation and its multipliers.

    Parameters
    ----------
    value : float
        The relaxation's value at the point.
    multipliers : Multipliers
        Those of the last iteration.
    vectors : array (N, r)
        Of all inputs and neurons.
    directions : list of array (n_k, r)
        xi of the neurons by blocks.
    losses : list of array (n_k, 2)
        About how much is lost when a neuron's slope is at its lower or upper end.
    """

    value: float
    multipliers: Multipliers
    vectors: Array
    directions: list[Array]
    losses: list[Array]


class Compact:
    """A problem's matrices: each block's readings of all that is before it.

    Parameters
    ----------
    problem : Problem
        Few enough neurons that dense matrices are small.
    """

    def __init__(self, problem: Problem) -> None:
        network = problem.network
        self.problem = problem
        self.norm: Norm = problem.norm
        self.offsets = np.concatenate([[0], np.cumsum(network.sizes)])
        self.readings = [
            self._stacked(block.preactivation, k)
            for k, block in enumerate(network.blocks, 1)
        ]
        self.output = self._stacked(network.output, len(network.sizes))
        self.lower = [block.lower[:, None] for block in network.blocks]
        self.upper = [block.upper[:, None] for block in network.blocks]

    def _stacked(self, reading: LinearMap, k: int) -> Array:
        matrix = np.zeros((reading.size, self.offsets[k]))
        for j, operator in reading.terms.items():
            matrix[:, self.offsets[j] : self.offsets[j + 1]] = operator.dense()
        return matrix

    def ascend(
        self,
        X: Array,
        directions: Sequence[Array],
        enough: float = math.inf,
        most: int = _MOST,
    ) -> Point:
        """Iterate from a start until the value hardly grows.

        Parameters
        ----------
        X : array (n_0, r)
            Vectors of the inputs, anything that is finite.
        directions : sequence of array (n_k, r)
            Those of the neurons, in the unit ball.
        enough : float
            A value above which the relaxation cannot settle the region, so that
            accuracy matters less.
        most : int
            Iterations.
        """
        readings, offsets = self.readings, self.offsets
        blocks = range(len(readings))
        xi = list(directions)
        V = np.empty((offsets[-1], X.shape[1]))
        V[: offsets[1]] = self.norm.lifted_aligned(X)
        G = np.zeros_like(V)
        d: list[Array] = [np.zeros((0, 1))] * len(readings)
        Z, reach, pull = list(d), list(d), list(d)
        last = 0.0
        for iteration in range(most):
            for k in blocks:
                i, j = offsets[k + 1], offsets[k + 2]
                Z[k] = readings[k] @ V[:i]
                reach[k] = row_norms(Z[k])
                V[i:j] = self._neurons(k, Z[k], reach[k] * xi[k])
            outputs = self.output @ V
            value = float(np.linalg.norm(outputs))
            least = _COARSE if value > enough else _FINE
            if iteration >= _FEWEST and not value - last > least * value:
                break
            last = value
            G = self.output.T @ (outputs / value)
            for k in reversed(blocks):
                i, j = offsets[k + 1], offsets[k + 2]
                pull[k] = row_norms(G[i:j])
                moved = pull[k] > 0
                xi[k] = np.where(moved, G[i:j] / np.where(moved, pull[k], 1.0), xi[k])
                a, b = self.lower[k], self.upper[k]
                still = _STILL * reach[k].max(initial=0.0)
                d[k] = pull[k] / ((b - a) * np.maximum(reach[k], still))
                Y = self._neurons(k, Z[k], reach[k] * xi[k])
                G[:i] += readings[k].T @ (d[k] * ((a + b) * Y - 2 * a * b * Z[k]))
            V[: offsets[1]] = self.norm.lifted_aligned(G[: offsets[1]])
        multipliers = Multipliers(
            self.norm.multipliers(G[: offsets[1]]), tuple(part[:, 0] for part in d)
        )
        losses = [self._losses(k, Z[k], reach[k], pull[k], xi[k]) for k in blocks]
        return Point(value, multipliers, V, xi, losses)

    def _neurons(self, k: int, Z: Array, reached: Array) -> Array:
        a, b = self.lower[k], self.upper[k]
        return (a + b) / 2 * Z + (b - a) / 2 * reached

    def _losses(self, k: int, Z: Array, reach: Array, pull: Array, xi: Array) -> Array:
        """Return how much the value falls, to first order, with y = a z and y = b z.

        y moves from ``c z + h |z| xi`` to ``c z -+ h z``, and the gradient is along xi.
        """
        half = (self.upper[k] - self.lower[k]) / 2
        along = np.einsum("ij,ij->i", Z, xi)[:, None]
        both = np.concatenate([reach + along, reach - along], axis=1)
        return np.asarray(half * pull * both)


def repaired(compact: Compact, proposal: Multipliers) -> Promise | None:
    """Return what `geolip.repair.mended` does, soon also for very many inputs.

    B is of full size on the inputs, but what neurons and outputs read of them has no
    more dimensions than there are neurons and outputs. In a basis that is orthonormal
    for tau, the other directions of the input read nothing and drop out, and tau is the
    identity; its factor is all that repair looks for.
    """
    problem = compact.problem
    sizes, outputs = problem.network.sizes, problem.network.output.size
    if sizes[0] <= sum(sizes[1:]) + outputs:
        return mended(problem, proposal)
    tau = np.maximum(proposal.tau, _FLOOR * proposal.tau.max())
    if not 0 < tau.max() < np.inf:
        return None
    matrices = [*compact.readings, compact.output]
    read = np.concatenate([matrix[:, : sizes[0]] for matrix in matrices])
    basis = np.asarray(np.linalg.qr((read / np.sqrt(tau)).T, mode="r")).T
    inner = np.split(basis, np.cumsum(sizes[1:]))
    small = Problem(_with_input(problem.network, inner), problem.norm)
    ones = np.ones(basis.shape[1])
    found = mended(small, Multipliers(ones, proposal.d))
    if found is None:
        return None
    promise, multipliers = found
    budgets = problem.norm.budget(tau) / problem.norm.budget(ones)
    scaled = Multipliers(multipliers.tau[0] * tau, multipliers.d)
    return promise * float(np.sqrt(budgets)), scaled


def _with_input(network: SectorNetwork, matrices: Sequence[Array]) -> SectorNetwork:
    """Return the network with other readings of its input."""

    def changed(reading: LinearMap, matrix: Array) -> LinearMap:
        terms = {j: A for j, A in reading.terms.items() if j != 0}
        return LinearMap(reading.size, {0: Dense(matrix), **terms})

    blocks = tuple(
        SectorBlock(changed(block.preactivation, matrix), block.lower, block.upper)
        for block, matrix in zip(network.blocks, matrices, strict=False)
    )
    output = changed(network.output, matrices[-1])
    return SectorNetwork(matrices[-1].shape[1], blocks, output)
