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

import time
from collections.abc import Callable, Sequence

import numpy as np
from scipy import linalg

from geolip.arrays import Array
from geolip.backend import Judge, Settings, Solution, Status
from geolip.blocks import BlockMatrix
from geolip.errors import SolverError
from geolip.memory import fits as fits_in_memory
from geolip.multipliers import Multipliers
from geolip.problem import Problem

from . import lifted
from ._chain import Chain, is_chain
from ._cone import Cone, Grams
from ._descent import Descent
from ._inflation import inflated
from ._inside import well_inside

# Where the bound is so many times the value, lifted multipliers are no place to start.
_FAR = 1.1
# The gap on the central path, relative to the value, at which descent hands over.
_HANDOVER = 0.1
_MAX_ITERATIONS = 60
# Share of the way to the boundary that a step may take.
_SHARE = 0.95
# The lengths tried: closely near one, where most steps end and where the next mu is
# decided; a predictor only has to know about how far it gets.
_SHORT = tuple(0.5**k for k in range(1, 20))
_FINE = (1.0, 0.97, 0.93, 0.87, 0.8, 0.7, 0.6, *_SHORT)
_COARSE = (1.0, 0.9, 0.7, *_SHORT)
# Share of the objective that X may owe to missing the constraints.
_OWED = 1e-4
# Square matrices of the program's order that are held at the same time.
_MATRICES = 14
# A larger program takes minutes an iteration.
_LARGEST_ORDER = 8_500
# Up to here, an iteration takes seconds.
_QUICK_ORDER = 5_000


def usable() -> str | None:
    """Return None: this solver needs nothing but NumPy and SciPy."""
    return None


def fits(problem: Problem) -> bool:
    """Return whether the dense matrices of the method may be held."""
    order = _order(problem)
    return order <= _LARGEST_ORDER and fits_in_memory(_MATRICES * float(order) ** 2)


def is_quick(problem: Problem) -> bool:
    """Return whether an iteration takes seconds rather than minutes."""
    return fits(problem) and _order(problem) <= _QUICK_ORDER


def _order(problem: Problem) -> int:
    return sum(problem.network.sizes) + problem.network.output.size


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Start from a lifted point and follow the central path to the accuracy asked for.

    Raises
    ------
    SolverError
        If the problem is too large for dense matrices.
    """
    if not fits(problem):
        raise SolverError(
            f"interior would need dense matrices of order {_order(problem)}, which "
            "do not fit: use the lifted solver"
        )
    start = time.monotonic()
    point = lifted.warm_up(problem, settings, judge)
    return improve(problem, settings.after(time.monotonic() - start), judge, point)


def improve(
    problem: Problem, settings: Settings, judge: Judge, point: Solution
) -> Solution:
    """Go on from a lifted solution until the judge is satisfied."""
    multipliers, vectors, value = point.multipliers, point.vectors, point.value
    if judge.satisfied or multipliers is None or vectors is None or not value:
        return point
    start = time.monotonic()
    bound = judge.consider(multipliers, value, point.iterations)
    try:
        if bound > _FAR * value and is_chain(problem):
            descent = Descent(problem, settings, judge, point)
            descent.follow(_HANDOVER)
            point = descent.solution()
            if descent.status is not None:
                return point
            path = _Path.from_centre(problem, descent.chain, descent.mu)
        else:
            path = _Path.from_lifted(problem, multipliers, vectors)
    except np.linalg.LinAlgError as error:
        raise SolverError(f"no interior point to start from: {error}") from error
    begun = time.monotonic()
    status, iteration = Status.ITERATION_LIMIT, 0
    for iteration in range(1, _MAX_ITERATIONS + 1):
        try:
            path.step()
        except np.linalg.LinAlgError:
            # Rounding has carried an iterate out of the cone: as far as it gets.
            status = Status.STALLED
            break
        value = max(value, path.value())
        judge.consider(path.multipliers(), value, point.iterations + iteration)
        now = time.monotonic()
        if judge.satisfied:
            status = Status.SOLVED
            break
        if path.stuck:
            status = Status.STALLED
            break
        # The next step takes about as long as each of those before it.
        if (
            settings.time_limit is not None
            and now - start + (now - begun) / iteration > settings.time_limit
        ):
            status = Status.TIME_LIMIT
            break
    return Solution(
        status, path.multipliers(), value, point.iterations + iteration, point.vectors
    )


class _Path:
    """The iterates (X, y), and the step from one to the next."""

    def __init__(self, cone: Cone, y: Array, X: Array) -> None:
        self.cone, self.y, self.X = cone, y, X
        self.stuck = False

    @classmethod
    def from_lifted(
        cls, problem: Problem, multipliers: Multipliers, vectors: tuple[Array, ...]
    ) -> "_Path":
        """Start from a lifted point, made strictly feasible."""
        inner, output = well_inside(problem, multipliers)
        cone = Cone(problem, inner, output)
        V = inflated(cone, vectors)
        return cls(cone, cone.variables(inner, output), 0.5 * (V @ V.T))

    @classmethod
    def from_centre(cls, problem: Problem, chain: Chain, mu: float) -> "_Path":
        """Start from a dual point near the central path, where X is mu S^-1.

        This X misses the constraints by as much as the point misses the path; the
        first full step mends it.
        """
        cone = Cone(problem, chain.multipliers, chain.output)
        y = cone.variables(chain.multipliers, chain.output)
        inverse = cone.slack(y).factor().solve(cone.split(np.eye(cone.order)))
        Z = np.concatenate(inverse)
        return cls(cone, y, mu * (Z + Z.T) / 2)

    def multipliers(self) -> Multipliers:
        """Return the dual iterate."""
        return self.cone.multipliers(self.y)

    def value(self) -> float:
        """Return the primal objective, less what X owes to missing the constraints.

        A residual r of the constraints is worth ``r'y`` at the optimal y, to which the
        iterate is near. Where that is much, X says nothing and the value is 0.
        """
        out = self.cone.block(len(self.cone.sizes) - 1)
        objective = 2.0 * sum(
            float(np.vdot(c, self.X[self.cone.block(j), out]))
            for j, c in enumerate(self.cone.outputs)
        )
        owed = self._owed()
        return objective - owed if owed <= _OWED * objective else 0.0

    def _owed(self) -> float:
        residual = self.cone.gradient(self.X) - self.cone.costs
        return float(np.abs(residual) @ self.y)

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
        if self._owed() > _OWED * float(cone.costs @ self.y):
            # A full step makes X feasible; one towards the centre is likely to be full.
            centre = max(centre, 0.5)
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

    def _dual_length(self, dy: Array, lengths: Sequence[float]) -> float:
        def inside(length: float) -> bool:
            return _is_definite(self.cone.slack(self.y + length * dy))

        return _length(inside, lengths)


def _primal_length(X: Array, dX: Array, lengths: Sequence[float]) -> float:
    def inside(length: float) -> bool:
        return _cholesky(X + length * dX) is not None

    return _length(inside, lengths)


def _length(inside: Callable[[float], bool], lengths: Sequence[float]) -> float:
    """Return the first length that is well inside the cone, 0 if none is."""
    return next((one for one in lengths if inside(one / _SHARE)), 0.0)


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
        raise np.linalg.LinAlgError("Newton's equations became singular")
    factor = (root, False)

    def solve(right: Array) -> Array:
        found = linalg.cho_solve(factor, right, check_finite=False)
        step = linalg.cho_solve(factor, right - H @ found, check_finite=False)
        return np.asarray(found + step)

    return solve
