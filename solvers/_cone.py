"""The cone program of a problem in scaled coordinates, and its structured operations.

Coordinates are, in this order, the input, the neurons block by block, and the outputs.
They are rescaled so that the multipliers of the starting point are one.
"""

from dataclasses import dataclass

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockMatrix
from geolip.multipliers import Multipliers
from geolip.problem import Problem


class Cone:
    """Constraint matrices, costs and slack of one problem.

    Variables are ordered (g, tau, d); tau is one number for l_2 inputs.

    Parameters
    ----------
    problem : Problem
        The problem.
    start : Multipliers
        Sets the scale of each coordinate.
    output_multiplier : float
        Sets the scale of the outputs.
    """

    def __init__(
        self, problem: Problem, start: Multipliers, output_multiplier: float
    ) -> None:
        network = problem.network
        self.problem = problem
        self.sizes = (*network.sizes, network.output.size)
        self.offsets = np.concatenate([[0], np.cumsum(self.sizes)])
        self.order = int(self.offsets[-1])
        roots = [start.tau, *(2.0 * d for d in start.d)]
        self.scales = [1.0 / np.sqrt(root) for root in roots]
        self.output_scale = 1.0 / np.sqrt(output_multiplier)
        self.lower = np.concatenate([[], *(b.lower for b in network.blocks)])
        self.upper = np.concatenate([[], *(b.upper for b in network.blocks)])
        self.reads = [
            {
                j: A.dense() * self.scales[j] / self.scales[k][:, None]
                for j, A in block.preactivation.terms.items()
            }
            for k, block in enumerate(network.blocks, 1)
        ]
        self.outputs = [
            self.output_scale * scale[:, None] * c
            for scale, c in zip(self.scales, problem.output(), strict=True)
        ]
        n, m = network.input_size, network.output.size
        self.hidden = slice(n, self.order - m)
        # Diagonal coordinates: outputs first, then inputs, each row of `ties` a
        # variable.
        self.diagonal = np.r_[self.order - m : self.order, 0:n]
        tied = problem.norm.tied(n)
        self.ties = np.zeros((1 + tied.shape[1], m + n))
        self.ties[0, :m] = 1.0
        self.ties[1:, m:] = tied.T
        # tau_j is the scaled variable divided by the square of its coordinate's scale.
        squares = self.scales[0] ** 2
        budgets = [problem.norm.budget(column / squares) for column in tied.T]
        ones = [1.0 / self.output_scale**2, *budgets]
        self.costs = np.concatenate([0.5 * np.array(ones), np.zeros(len(self.lower))])

    def block(self, k: int) -> slice:
        """Return the coordinates of block k; the last block is the output."""
        return slice(int(self.offsets[k]), int(self.offsets[k + 1]))

    def read(self, M: Array) -> Array:
        """Return W M (hidden, r) for all neurons' readings W and ``M`` (order, r)."""
        parts = [np.zeros((0, M.shape[1]))]
        for k, terms in enumerate(self.reads, 1):
            total = np.zeros((self.sizes[k], M.shape[1]))
            for j, W in terms.items():
                total += W @ M[self.block(j)]
            parts.append(total)
        return np.concatenate(parts)

    def read_adjoint(self, M: Array) -> Array:
        """Return W' M (order, r) for ``M`` (hidden, r)."""
        result = np.zeros((self.order, M.shape[1]))
        first = self.hidden.start
        for k, terms in enumerate(self.reads, 1):
            rows = self.block(k)
            part = M[rows.start - first : rows.stop - first]
            for j, W in terms.items():
                result[self.block(j)] += W.T @ part
        return result

    def multipliers(self, y: Array) -> Multipliers:
        """Return the multipliers that the variables stand for."""
        diagonal = self.ties.T @ y[: len(self.ties)]
        tau = diagonal[self.sizes[-1] :] / self.scales[0] ** 2
        parts = np.split(y[len(self.ties) :], np.cumsum(self.sizes[1:-1])[:-1])
        d = [p / s**2 for p, s in zip(parts, self.scales[1:], strict=True)]
        return Multipliers(tau, tuple(d))

    def variables(self, multipliers: Multipliers, g: float) -> Array:
        """Return the variables of multipliers, the inverse of `multipliers`."""
        tau = multipliers.tau * self.scales[0] ** 2
        weights = self.ties[1:, self.sizes[-1] :]
        tied = weights @ tau / weights.sum(axis=1)
        d = [d * s**2 for d, s in zip(multipliers.d, self.scales[1:], strict=True)]
        return np.concatenate([[g * self.output_scale**2], tied, *d])

    def slack(self, y: Array) -> BlockMatrix:
        """Return S(y) by blocks."""
        diagonal = self.ties.T @ y[: len(self.ties)]
        m, last = self.sizes[-1], len(self.sizes) - 1
        blocks: dict[tuple[int, int], Array] = {
            (0, 0): diagonal[m:],
            (last, last): diagonal[:m],
        }
        first, shift = self.hidden.start, len(self.ties)
        for k, terms in enumerate(self.reads, 1):
            rows = self.block(k)
            own = slice(rows.start - first, rows.stop - first)
            d, a, b = y[shift:][own], self.lower[own], self.upper[own]
            blocks[k, k] = _sum(blocks.get((k, k)), 2.0 * d)
            for j, W in terms.items():
                blocks[k, j] = _sum(blocks.get((k, j)), (-d * (a + b))[:, None] * W)
                for i, V in terms.items():
                    if i <= j and (a * b).any():
                        square = W.T @ ((2.0 * d * a * b)[:, None] * V)
                        blocks[j, i] = _sum(blocks.get((j, i)), square)
        for j, c in enumerate(self.outputs):
            if c.any():
                blocks[last, j] = -c.T
        return BlockMatrix(self.sizes, blocks)

    def gradient(self, M: Array) -> Array:
        """Return tr(A_i M) for all constraint matrices and ``M`` (order, order)."""
        first = self.hidden
        F = self.read(M)
        lower, upper = self.lower[:, None], self.upper[:, None]
        PM, QM = M[first] - lower * F, M[first] - upper * F
        mixed = self._diagonal(PM, self.upper) + self._diagonal(QM, self.lower)
        diagonal = np.diagonal(M)[self.diagonal]
        return np.concatenate([self.ties @ diagonal, mixed])

    def _diagonal(self, M: Array, slopes: Array) -> Array:
        """Return the diagonal of ``M (E - slopes W)'`` for ``M`` (hidden, order)."""
        first = self.hidden.start
        result = np.diagonal(M[:, self.hidden]).copy()
        for k, terms in enumerate(self.reads, 1):
            rows = self.block(k)
            own = slice(rows.start - first, rows.stop - first)
            for j, W in terms.items():
                read = np.einsum("ij,ij->i", M[own, self.block(j)], W)
                result[own] -= slopes[own] * read
        return result

    def grams(self, X: Array) -> "Grams":
        """Return the Gram matrices of the constraint vectors in the metric X."""
        h = self.hidden
        F = self.read(X)
        G = self.read(np.ascontiguousarray(F.T))
        a, b = self.lower, self.upper
        inner, cross = X[h, h], F[:, h]
        # (E - a W) X against E and against W; for a = 0 nothing is copied.
        with_E, with_W = inner, cross.T
        PP = inner
        if a.any():
            with_E = inner - a[:, None] * cross
            with_W = cross.T - a[:, None] * G
            PP = with_E - with_W * a
        PQ = with_E - with_W * b
        QQ = inner - b[:, None] * cross - (cross.T - b[:, None] * G) * b
        rows = X[h][:, self.diagonal]
        read = F[:, self.diagonal]
        return Grams(
            PP=PP,
            PQ=PQ,
            QQ=QQ,
            P=rows - a[:, None] * read,
            Q=rows - b[:, None] * read,
            D=X[np.ix_(self.diagonal, self.diagonal)],
            F=F,
        )

    def schur(self, X: "Grams", Z: "Grams") -> Array:
        """Return the matrix tr(A_i X A_j Z) of Newton's equations."""
        n = len(self.ties)
        mixed = X.PQ.T * Z.PQ
        inner = mixed + mixed.T + X.QQ * Z.PP + X.PP * Z.QQ
        H = np.empty((n + len(inner), n + len(inner)))
        H[n:, n:] = inner
        H[n:, :n] = (X.P * Z.Q + X.Q * Z.P) @ self.ties.T
        H[:n, n:] = H[n:, :n].T
        H[:n, :n] = self.ties @ (X.D * Z.D) @ self.ties.T
        return H

    def slack_times(self, dy: Array, X: Array, F: Array) -> Array:
        """Return (S(dy) - S(0)) X for ``X`` (order, r) and ``F = read(X)``."""
        n, h = len(self.ties), self.hidden
        d, a, b = dy[n:, None], self.lower[:, None], self.upper[:, None]
        cross, square = -d * (a + b), 2 * d * a * b
        read = cross * X[h]
        if square.any():
            read += square * F
        result = self.read_adjoint(read)
        result[h] += 2 * d * X[h]
        result[h] += cross * F
        diagonal = self.ties.T @ dy[:n]
        result[self.diagonal] += diagonal[:, None] * X[self.diagonal]
        return result

    def inner(self, X: Array, slack: BlockMatrix) -> float:
        """Return tr(X S) for a slack matrix S."""
        total = 0.0
        for (i, j), block in slack.blocks.items():
            part = X[self.block(i), self.block(j)]
            if block.ndim == 1:
                total += float(np.diagonal(part) @ block)
            else:
                total += (1.0 if i == j else 2.0) * float(np.vdot(part, block))
        return total

    def split(self, M: Array) -> list[Array]:
        """Return the rows of ``M`` by blocks."""
        return np.split(M, self.offsets[1:-1])


@dataclass(frozen=True, eq=False)
class Grams:
    """Gram matrices of p_i, q_i and the diagonal coordinates in some metric.

    Parameters
    ----------
    PP, PQ, QQ : array (hidden, hidden)
        ``p_i' X p_j`` and so on.
    P, Q : array (hidden, diagonal)
        ``p_i' X`` and ``q_i' X`` at the diagonal coordinates.
    D : array (diagonal, diagonal)
        X there.
    F : array (hidden, order)
        The neurons' readings of X.
    """

    PP: Array
    PQ: Array
    QQ: Array
    P: Array
    Q: Array
    D: Array
    F: Array


def _sum(left: Array | None, right: Array) -> Array:
    if left is None:
        return right
    if left.ndim < right.ndim:
        left = np.diag(left)
    elif right.ndim < left.ndim:
        right = np.diag(right)
    return left + right
