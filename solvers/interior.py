"""The structured interior-point solver, for the last digits and for deep networks.

A primal-dual method with the HKM direction and Mehrotra's corrector on

    minimise (g + T(tau)) / 2   subject to   S(y) = [[g I, -C], [-C', B(tau, D)]] >= 0

whose constraint matrices have rank two, ``p q' + q p'`` with ``p = e - a w`` and
``q = e - b w``. The Schur matrix of Newton's equations is then a sum of four entrywise
products of Gram matrices, S keeps the block structure of the network, and an iteration
costs a few dense factorisations of the order of the network's size.

Source: docs/solvers.md section 2. Direction: Helmberg, Rendl, Vanderbei and Wolkowicz
(SIAM J. Optim. 6, 1996), Kojima, Shindoh and Hara (SIAM J. Optim. 7, 1997), Monteiro
(SIAM J. Optim. 7, 1997).
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import linalg

from geolip.arrays import Array
from geolip.backend import Judge, Settings, Solution, Status
from geolip.blocks import BlockMatrix
from geolip.errors import SolverError
from geolip.memory import fits as fits_in_memory
from geolip.problem import Multipliers, Problem
from geolip.sweep import interior_point, sweep

from . import lifted
from ._cone import Cone, Grams
from ._inflation import inflated

# Iterations of the lifted solver that find the starting point: cheap, and measured to
# save half of the iterations here.
_WARM_UP = 1280
_MAX_ITERATIONS = 60
# Share of the way to the boundary that a step may take.
_SHARE = 0.95
# Factors between the lengths tried: a predictor only has to know about how far it gets.
_FINE, _COARSE = 0.85, 0.55
# Square matrices of the program's order that are held at the same time.
_MATRICES = 14
# A larger program takes minutes an iteration.
_LARGEST_ORDER = 8_500


def usable() -> str | None:
    """Return None: this solver needs nothing but NumPy and SciPy."""
    return None


def fits(problem: Problem) -> bool:
    """Return whether the dense matrices of the method may be held."""
    order = sum(problem.network.sizes) + problem.network.output.size
    return order <= _LARGEST_ORDER and fits_in_memory(_MATRICES * float(order) ** 2)


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Start from a lifted point and follow the central path to the accuracy asked for.

    Raises
    ------
    SolverError
        If the problem is too large for dense matrices.
    """
    if not fits(problem):
        order = sum(problem.network.sizes)
        raise SolverError(
            f"interior would need dense matrices of order {order}, which do not fit: "
            "use the lifted solver"
        )
    start = time.monotonic()
    extra = {"max_iterations": _WARM_UP, **settings.extra}
    warm = lifted.run(problem, replace(settings, extra=extra), judge, patience=math.inf)
    limit = settings.time_limit
    if limit is not None:
        limit = max(limit - (time.monotonic() - start), 0.0)
    return improve(problem, replace(settings, time_limit=limit), judge, warm)


def improve(
    problem: Problem, settings: Settings, judge: Judge, point: Solution
) -> Solution:
    """Go on from a lifted solution until the judge is satisfied."""
    if judge.satisfied or point.vectors is None or point.multipliers is None:
        return point
    start = time.monotonic()
    try:
        path = _Path(problem, point.multipliers, point.vectors)
    except np.linalg.LinAlgError as error:
        raise SolverError(f"no interior point to start from: {error}") from error
    value = point.value or 0.0
    status, iteration = Status.ITERATION_LIMIT, 0
    for iteration in range(1, _MAX_ITERATIONS + 1):
        try:
            path.step()
        except np.linalg.LinAlgError:
            # Rounding has carried an iterate out of the cone: as far as it gets.
            status = Status.STALLED
            break
        value = max(value, path.value())
        judge.consider(path.multipliers(), value)
        elapsed = time.monotonic() - start
        if judge.satisfied:
            status = Status.SOLVED
            break
        if path.stuck:
            status = Status.STALLED
            break
        # The next step takes about as long as each of those before it.
        if (
            settings.time_limit is not None
            and elapsed * (1 + 1 / iteration) > settings.time_limit
        ):
            status = Status.TIME_LIMIT
            break
    return Solution(
        status, path.multipliers(), value, point.iterations + iteration, point.vectors
    )


class _Path:
    """The iterates (X, y), and the step from one to the next."""

    def __init__(
        self, problem: Problem, multipliers: Multipliers, vectors: tuple[Array, ...]
    ) -> None:
        inner, bound = _dual_start(problem, multipliers)
        self.cone = Cone(problem, inner, 1.4 * bound)
        self.y = self.cone.variables(inner, 1.4 * bound)
        V = inflated(self.cone, vectors)
        self.X = 0.5 * (V @ V.T)
        self.stuck = False

    def multipliers(self) -> Multipliers:
        """Return the dual iterate."""
        return self.cone.multipliers(self.y)

    def value(self) -> float:
        """Return the primal objective, 0 if rounding has made X infeasible."""
        residual = self.cone.gradient(self.X) - self.cone.costs
        if np.abs(residual).max() > 1e-9 * np.abs(self.cone.costs).max():
            return 0.0
        out = self.cone.block(len(self.cone.sizes) - 1)
        return 2.0 * sum(
            float(np.vdot(c, self.X[self.cone.block(j), out]))
            for j, c in enumerate(self.cone.outputs)
        )

    def step(self) -> None:
        """Take one predictor-corrector step."""
        cone, X = self.cone, self.X
        slack = cone.slack(self.y)
        factor = slack.factor()

        def divided(M: Array) -> Array:
            """Return ``S^-1 M``."""
            return np.concatenate(factor.solve(cone.split(M)))

        Z = divided(np.eye(cone.order))
        gram = cone.grams(X)
        newton = _factorised(cone.schur(gram, cone.grams(Z)))
        mu = cone.inner(X, slack) / cone.order
        # Predictor: straight for the optimum.
        dy = newton(-cone.costs)
        dX = -X - self._moved(divided, gram, dy)
        primal = _primal_length(X, dX, _COARSE)
        left = (1 - primal) * (1 - self._dual_length(dy, _COARSE))
        centre = min(1.0, left**2) if left < 0.9 else 1.0
        # Corrector: the product of both steps, and some centring.
        second = divided(cone.slack_times(dy, dX, cone.read(dX)))
        rhs = centre * mu * cone.gradient(Z) - cone.gradient(second) - cone.costs
        dy = newton(rhs)
        second = (second + second.T) / 2
        dX = centre * mu * Z - X - second - self._moved(divided, gram, dy)
        primal, dual = _primal_length(X, dX, _FINE), self._dual_length(dy, _FINE)
        self.X = X + primal * dX
        self.y = self.y + dual * dy
        self.stuck = max(primal, dual) < 1e-3

    def _moved(
        self, divided: Callable[[Array], Array], gram: Grams, dy: Array
    ) -> Array:
        """Return the symmetric part of ``S^-1 dS X``."""
        product = divided(self.cone.slack_times(dy, self.X, gram.F))
        return np.asarray((product + product.T) / 2)

    def _dual_length(self, dy: Array, shrink: float) -> float:
        def inside(length: float) -> bool:
            return _is_definite(self.cone.slack(self.y + length * dy))

        return _length(inside, shrink)


def _primal_length(X: Array, dX: Array, shrink: float) -> float:
    def inside(length: float) -> bool:
        return _cholesky(X + length * dX) is not None

    return _length(inside, shrink)


def _length(inside: Callable[[float], bool], shrink: float) -> float:
    """Return a step length, at most one, well inside the cone."""
    length = 1.0
    while not inside(length / _SHARE):
        # Carefully near one, where most steps end; fast when there is a long way to go.
        length *= shrink if length > 0.4 else _COARSE
        if length < 1e-6:
            return 0.0
    return length


def _is_definite(matrix: BlockMatrix) -> bool:
    try:
        matrix.factor()
    except np.linalg.LinAlgError:
        return False
    return True


def _cholesky(matrix: Array) -> Array | None:
    try:
        # Transposed to column order, and in place: the matrix is a temporary.
        return np.asarray(
            linalg.cholesky(matrix.T, overwrite_a=True, check_finite=False)
        )
    except np.linalg.LinAlgError:
        return None


def _factorised(H: Array) -> Callable[[Array], Array]:
    """Return what solves Newton's equations, with refinement."""
    diagonal = np.diag(np.diagonal(H))
    for ridge in (0.0, 1e-15, 1e-13, 1e-11):
        root = _cholesky(H + ridge * diagonal)
        if root is not None:
            break
    else:
        raise SolverError("Newton's equations became singular")
    factor = (root, False)

    def solve(right: Array) -> Array:
        found = linalg.cho_solve(factor, right, check_finite=False)
        step = linalg.cho_solve(factor, right - H @ found, check_finite=False)
        return np.asarray(found + step)

    return solve


def _dual_start(
    problem: Problem, multipliers: Multipliers
) -> tuple[Multipliers, float]:
    """Return multipliers well inside the feasible set with T(tau) = their bound."""
    try:
        _, inner = sweep(problem, multipliers, margin=0.3).best()
    except np.linalg.LinAlgError:
        inner = interior_point(problem)
    inner = inner.scaled_tau(1.4)
    bound, _ = sweep(problem, inner).price(1.0)
    if not np.isfinite(bound):
        raise SolverError("no interior point was found to start from")
    return inner.scaled(bound / problem.norm.budget(inner.tau)), bound
