"""Block coordinate descent on the dual barrier of a chain of layers.

In a chain every layer reads the one before it alone, so the slack matrix is block
tridiagonal: what the layers before layer k do to it is one matrix, the Schur complement
U_k, and what those after it do is another, the load R_k. With both at hand a layer's
multipliers can be improved by an exact Newton step that costs a few products of the
layer's size, and a forward and a backward pass improve all layers in turn. No matrix
has more rows than the widest layer.

Source: docs/solvers.md section 3. Damped steps of self-concordant functions: Nesterov
and Nemirovskii, Interior-Point Polynomial Algorithms in Convex Programming (1994).
"""

import math

import numpy as np
from scipy import linalg, sparse
from scipy.linalg import lapack

from geolip.arrays import Array
from geolip.multipliers import Multipliers
from geolip.problem import Problem

# Newton decrements up to here allow a full step.
_CLOSE = 0.25


def is_chain(problem: Problem) -> bool:
    """Return whether every layer, and the output, reads the one before it alone."""
    network = problem.network
    readers = [*(block.preactivation for block in network.blocks), network.output]
    return len(readers) > 1 and all(
        set(reader.terms) == {k} for k, reader in enumerate(readers)
    )


class Chain:
    """A point (tau, D, g) inside the feasible set, and the pass that improves it.

    It descends on ``(g + T(tau)) / (2 mu) - log det S(tau, D, g)`` for a given mu.

    Parameters
    ----------
    problem : Problem
        A chain, see `is_chain`.
    multipliers : Multipliers
        Strictly feasible together with ``output``.
    output : float
        The multiplier g of the outputs; more than lambda_max(C B^-1 C').

    Attributes
    ----------
    distance : float
        The largest Newton decrement of the last pass: how far from the central path.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the point is not strictly feasible; later, if rounding has carried it out.
    """

    def __init__(
        self, problem: Problem, multipliers: Multipliers, output: float
    ) -> None:
        network = problem.network
        self.problem = problem
        self.order = sum(network.sizes) + network.output.size
        self.distance = math.inf
        self.output = output
        self._tau, self._d = multipliers.tau, list(multipliers.d)
        self._ties = sparse.csr_array(problem.norm.tied(network.input_size))
        self._costs = np.array(
            [problem.norm.budget(column) / 2 for column in self._ties.T.toarray()]
        )
        self._W = [
            block.preactivation.terms[k].dense()
            for k, block in enumerate(network.blocks)
        ]
        self._C = network.output.terms[len(self._W)].dense()
        # Loads by blocks 0..K, and Schur complements by blocks 1..K.
        self._R = [self._C.T @ self._C / output] * (len(self._W) + 1)
        self._U = [np.zeros((0, 0))] * (len(self._W) + 1)
        for k in reversed(range(len(self._W))):
            self._load(k)

    @property
    def multipliers(self) -> Multipliers:
        """The multipliers (tau, D) as they are now."""
        return Multipliers(self._tau, tuple(self._d))

    def descend(self, mu: float) -> None:
        """Improve all multipliers once forward and once backward."""
        self.distance = 0.0
        self._balance(mu)
        self._improve_input(mu)
        depth = len(self._W)
        for k in range(1, depth + 1):
            self._improve_layer(k)
            self._scale_later(k, mu)
        self._improve_output(mu)
        for k in reversed(range(1, depth + 1)):
            self._improve_layer(k)
            self._load(k - 1)

    def _balance(self, mu: float) -> None:
        """Scale tau and D against g, which has a closed form."""
        hidden = self.order - 2 * len(self._C)
        inward = self.problem.norm.budget(self._tau) / (2 * mu)
        outward = self.output / (2 * mu)
        s = (hidden + math.sqrt(hidden**2 + 4 * inward * outward)) / (2 * inward)
        self._tau = s * self._tau
        self._scale(0, s)

    def _scale(self, k: int, s: float) -> None:
        """Scale the multipliers of all layers after block k, and g inversely."""
        for j in range(k, len(self._W)):
            self._d[j] = s * self._d[j]
        for j in range(k, len(self._R)):
            self._R[j] = s * self._R[j]
        self.output /= s

    def _improve_input(self, mu: float) -> None:
        Z = _inverse(np.diag(self._tau) - self._R[0])
        gradient = self._ties.T @ np.diagonal(Z) - self._costs / mu
        hessian = self._ties.T @ (self._ties.T @ (Z * Z)).T
        step, length = self._newton(np.asarray(hessian), np.asarray(gradient))
        self._tau = self._tau + length * (self._ties @ step)

    def _improve_layer(self, k: int) -> None:
        """Take a Newton step on the multipliers of layer k; set its U.

        With Z the inverse of the slack and p = e - a w, q = e - b w as in section 2 of
        docs/solvers.md, the derivatives are those of ``log det`` along ``p q' + q p'``.
        """
        block = self.problem.network.blocks[k - 1]
        a, b, d = block.lower, block.upper, self._d[k - 1]
        G = self._readings(k)
        own, H = self._own(k, G)
        Z = _inverse(own)
        # Z between the layer's neurons and their readings, and among the readings.
        cross = (Z * (d * (a + b))) @ H
        read = H + (H * (d * (a + b))) @ cross
        PQ = Z - cross * b - a[:, None] * cross.T + a[:, None] * read * b
        QQ = Z - cross * b - b[:, None] * cross.T + b[:, None] * read * b
        PP = Z
        if a.any():
            PP = Z - cross * a - a[:, None] * cross.T + a[:, None] * read * a
        hessian = 2.0 * (PQ * PQ.T + PP * QQ)
        step, length = self._newton(hessian, 2.0 * np.diagonal(PQ))
        self._d[k - 1] = d + length * step
        if not (self._d[k - 1] > 0).all():
            raise np.linalg.LinAlgError("a multiplier is no longer positive")
        own, _ = self._own(k, G)
        self._U[k] = own + self._R[k]

    def _scale_later(self, k: int, mu: float) -> None:
        """Scale everything after layer k, which layers alone are slow to do."""
        # U - s R stays positive definite; W = R (U - R)^-1.
        W = _solve(self._U[k] - self._R[k], self._R[k])
        count = sum(d.size for d in self._d[k:]) - len(self._C)
        outward = self.output / (2 * mu)
        slope = float(np.trace(W)) - count - outward
        curvature = float(np.trace(W) + np.vdot(W, W.T)) + outward
        distance = abs(slope) / math.sqrt(curvature)
        self._scale(k, math.exp(-slope / curvature * _length(distance)))

    def _improve_output(self, mu: float) -> None:
        """Take a Newton step on g, and start the loads from it."""
        half = linalg.solve_triangular(
            _cholesky(self._U[-1]), self._C.T, trans="T", check_finite=False
        )
        Z = _inverse(self.output * np.eye(len(self._C)) - half.T @ half)
        slope, curvature = np.trace(Z) - 0.5 / mu, np.vdot(Z, Z)
        distance = abs(slope) / math.sqrt(curvature)
        self.output += float(_length(distance) * slope / curvature)
        self._R[-1] = self._C.T @ self._C / self.output

    def _load(self, k: int) -> None:
        """Set R_k from R_{k+1}: what the layers after block k subtract from it."""
        block, W, d = self.problem.network.blocks[k], self._W[k], self._d[k]
        root = _cholesky(np.diag(2.0 * d) - self._R[k + 1])
        cross = (d * (block.lower + block.upper))[:, None] * W
        half = linalg.solve_triangular(root, cross, trans="T", check_finite=False)
        self._R[k] = half.T @ half
        square = 2.0 * d * block.lower * block.upper
        if square.any():
            self._R[k] = self._R[k] - W.T @ (square[:, None] * W)

    def _readings(self, k: int) -> Array:
        """Return W U^-1 W' for layer k and the U of the block that it reads."""
        if k == 1:
            half = self._W[0].T / np.sqrt(self._tau)[:, None]
        else:
            root, right = _cholesky(self._U[k - 1]), self._W[k - 1].T
            half = linalg.solve_triangular(root, right, trans="T", check_finite=False)
        return np.asarray(half.T @ half)

    def _own(self, k: int, G: Array) -> tuple[Array, Array]:
        """Return layer k's Schur complement, and G with the layer's own ab terms."""
        block, d = self.problem.network.blocks[k - 1], self._d[k - 1]
        square = 2.0 * d * block.lower * block.upper
        if square.any():
            changed = np.linalg.solve(np.eye(len(d)) + G * square, G)
            G = np.asarray((changed + changed.T) / 2)
        cross = d * (block.lower + block.upper)
        return np.diag(2.0 * d) - self._R[k] - cross[:, None] * G * cross, G

    def _newton(self, hessian: Array, gradient: Array) -> tuple[Array, float]:
        """Return Newton's step and the length that is safe to take."""
        step = _solve(hessian, gradient)
        distance = math.sqrt(max(float(gradient @ step), 0.0))
        self.distance = max(self.distance, distance)
        return step, _length(distance)


def _length(distance: float) -> float:
    """Return a step length that keeps a self-concordant function's argument inside."""
    return 1.0 if distance <= _CLOSE else 1.0 / (1.0 + distance)


def _cholesky(matrix: Array) -> Array:
    """Return the upper factor; half the price of SciPy's wrapper on small matrices."""
    root, info = lapack.dpotrf(matrix.T, lower=0, clean=1)
    if info != 0:
        raise np.linalg.LinAlgError("not positive definite")
    return np.asarray(root)


def _inverse(matrix: Array) -> Array:
    inverse, _ = lapack.dpotri(_cholesky(matrix), lower=0)
    return np.asarray(np.triu(inverse) + np.triu(inverse, 1).T)


def _solve(matrix: Array, right: Array) -> Array:
    solution, _ = lapack.dpotrs(_cholesky(matrix), right, lower=0)
    return np.asarray(solution)
