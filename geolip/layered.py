"""One multiplier for each layer: the coarse relaxations, solved by a barrier method.

Multipliers that all neurons of a layer share are multipliers like others, so what they
prove is a bound; there are only as many as layers, and one or more of the input. With
S the bordered matrix of `geolip.problem`,

    minimise (g + T(tau)) / (2 mu) - log det S(g, tau, d),    S = [[g I, -C], [-C', B]],

for falling mu by Newton's method. The order of S is N; where the gradient vanishes,
``X = mu S^-1`` is a primal point and the objective is ``mu N`` above the optimum.

Source: LipSDP-Layer (Fazlyab et al., NeurIPS 2019) and the option `approx_hidden` of
GeoLIP's code (Wang, Prakriya, Jha, NeurIPS 2022); docs/solvers.md section 7.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from geolip import memory
from geolip.arrays import Array
from geolip.backend import Judge, Settings, Solution, Status
from geolip.blocks import BlockFactor, BlockMatrix
from geolip.errors import SolverError
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.sectors import SectorNetwork
from geolip.sweep import interior_point, sweep

# The gap on the central path at the start, in units of the objective.
_FIRST_GAP = 5.0
# What mu is multiplied by when the point is near the central path: smaller factors
# leave the point so near the boundary that Newton's method takes long to come back.
_DECREASE = 0.3
# Newton decrement below which it is near.
_NEAR = 0.5
_MAX_ITERATIONS = 200
# How far inside the feasible set the start is.
_ENLARGED = 2.0
_STEPS = tuple(0.5**k for k in range(40))
# Square matrices of the order of S that are held at the same time.
_MATRICES = 8
# A larger program takes minutes an iteration.
_LARGEST_ORDER = 6000


def usable() -> str | None:
    """Return None: this solver needs nothing but NumPy and SciPy."""
    return None


def refusal(network: SectorNetwork) -> str | None:
    """Return None, or one line that says why its dense matrices cannot be held."""
    order = sum(network.sizes) + network.output.size
    if order <= _LARGEST_ORDER and memory.fits(_MATRICES * float(order) ** 2):
        return None
    return (
        f"dense matrices of order {order} do not fit: {_LARGEST_ORDER} is the most "
        "that is tried"
    )


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Follow the central path of the coarse program until the judge is satisfied.

    The value that it reports is that of the coarse program.

    Raises
    ------
    SolverError
        If no feasible point is found.
    """
    limit = math.inf if settings.time_limit is None else settings.time_limit
    deadline = time.monotonic() + limit
    program = _Program(problem)
    try:
        point = program.start()
    except np.linalg.LinAlgError as error:
        raise SolverError(f"no interior point to start from: {error}") from error
    mu = _FIRST_GAP * program.objective(point.y) / program.order
    value, iteration = 0.0, 0
    for iteration in range(1, _MAX_ITERATIONS + 1):
        try:
            newton = program.newton(point)
        except np.linalg.LinAlgError:
            # So near the boundary that rounding decides.
            return _solution(Status.STALLED, program, point, value, iteration)
        direction, decrement = newton(mu)
        if decrement < _NEAR:
            gap = mu * (program.order + decrement * math.sqrt(program.order))
            value = max(value, program.objective(point.y) - gap)
            judge.consider(program.multipliers(point.y), value or None, iteration)
            if judge.satisfied:
                return _solution(Status.SOLVED, program, point, value, iteration)
            mu *= _DECREASE
            direction, _ = newton(mu)
        if time.monotonic() > deadline:
            return _solution(Status.TIME_LIMIT, program, point, value, iteration)
        following = program.step(point, direction, mu)
        if following is None:
            # Rounding leaves no step that brings the point nearer.
            return _solution(Status.STALLED, program, point, value, iteration)
        point = following
    return _solution(Status.ITERATION_LIMIT, program, point, value, iteration)


@dataclass(frozen=True, eq=False)
class _Point:
    """Variables (g, tau, d), tau and d as few as they are, and a factor of S there."""

    y: Array
    factor: BlockFactor


def _solution(
    status: Status, program: "_Program", point: _Point, value: float, iteration: int
) -> Solution:
    found = program.multipliers(point.y)
    return Solution(status, found, value or None, iteration)


class _Program:
    """The coarse program of a problem, and Newton's method on its barrier."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        network = problem.network
        n, m = network.input_size, network.output.size
        self.sizes = (*network.sizes, m)
        self.order = sum(self.sizes)
        ends = np.cumsum(self.sizes)
        self.places = [slice(e - s, e) for e, s in zip(ends, self.sizes, strict=True)]
        # Coordinates with a diagonal of their own, and which variable stands there.
        self.diagonal = np.r_[0:n, self.order - m : self.order]
        self.tied = problem.norm.tied(n)
        first = 1 + self.tied.shape[1]
        self.ties = np.zeros((first, n + m))
        self.ties[0, n:] = 1.0
        self.ties[1:, :n] = self.tied.T
        budgets = [problem.norm.budget(column) for column in self.tied.T]
        depth = len(network.blocks)
        self.costs = 0.5 * np.array([1.0, *budgets, *[0.0] * depth])
        self.units = [self._unit(k) for k in range(1, depth + 1)]
        last = len(self.sizes) - 1
        outputs = enumerate(problem.output())
        self.constant = {(last, j): -c.T for j, c in outputs if c.any()}

    def _unit(self, k: int) -> BlockMatrix:
        """Return what block k's multiplier is multiplied by in S."""
        ones = np.ones(self.sizes[k])
        blocks = dict(self.problem.terms(k, ones))
        blocks[k, k] = blocks.get((k, k), 0.0) + 2.0 * ones
        return BlockMatrix(self.sizes, blocks)

    def objective(self, y: Array) -> float:
        """Return (g + T(tau)) / 2."""
        return float(self.costs @ y)

    def multipliers(self, y: Array) -> Multipliers:
        """Return the multipliers that the variables stand for."""
        first = len(self.ties)
        pairs = zip(self.sizes[1:-1], y[first:], strict=True)
        d = (np.full(size, one) for size, one in pairs)
        return Multipliers(self.tied @ y[1:first], tuple(d))

    def start(self) -> _Point:
        """Return a point inside the feasible set."""
        inner = interior_point(self.problem).scaled_tau(_ENLARGED)
        bound, _ = sweep(self.problem, inner).price(1.0)
        budget = self.problem.norm.budget(inner.tau)
        inner = inner.scaled(bound / budget)
        weights = self.tied / self.tied.sum(axis=0)
        d = [part[0] for part in inner.d]
        y = np.concatenate([[_ENLARGED * bound], inner.tau @ weights, d])
        return _Point(y, self._slack(y).factor())

    def _slack(self, y: Array) -> BlockMatrix:
        blocks: dict[tuple[int, int], Array] = dict(self.constant)
        blocks |= self.problem.matrix(self.multipliers(y)).blocks
        last = len(self.sizes) - 1
        blocks[last, last] = np.full(self.sizes[-1], y[0])
        return BlockMatrix(self.sizes, blocks)

    def newton(self, point: _Point) -> Callable[[float], tuple[Array, float]]:
        """Return what gives, for any mu, Newton's direction and its decrement."""
        identity = np.eye(self.order)
        rows = point.factor.solve([identity[place] for place in self.places])
        Z = np.concatenate(rows)
        moved = [_touched(unit, unit.apply(rows)) for unit in self.units]
        around = Z[np.ix_(self.diagonal, self.diagonal)]
        first = len(self.ties)
        H = np.empty((len(self.costs),) * 2)
        H[:first, :first] = self.ties @ around**2 @ self.ties.T
        slope = np.empty(len(self.costs))
        slope[:first] = self.ties @ np.diagonal(around)
        for k, mine in enumerate(moved, first):
            slope[k] = sum(np.trace(M[:, self.places[i]]) for i, M in mine.items())
            turned = sum(
                np.einsum("ij,ij->j", rows[i][:, self.diagonal], M[:, self.diagonal])
                for i, M in mine.items()
            )
            H[k, :first] = H[:first, k] = self.ties @ turned
            for j, theirs in enumerate(moved[: k - first + 1], first):
                H[k, j] = H[j, k] = self._trace(mine, theirs)
        # In units in which the diagonal is one.
        unit = 1.0 / np.sqrt(np.diagonal(H))
        factor = linalg.cho_factor(unit[:, None] * H * unit)

        def direction(mu: float) -> tuple[Array, float]:
            gradient = self.costs / mu - slope
            found = -unit * linalg.cho_solve(factor, unit * gradient)
            return found, math.sqrt(max(float(-gradient @ found), 0.0))

        return direction

    def _trace(self, left: Mapping[int, Array], right: Mapping[int, Array]) -> float:
        """Return tr(A B) of matrices that are given by their non-zero rows."""
        return sum(
            float(np.vdot(A[:, self.places[j]], B[:, self.places[i]].T))
            for i, A in left.items()
            for j, B in right.items()
        )

    def step(self, point: _Point, direction: Array, mu: float) -> _Point | None:
        """Return the point after as long a step as brings the barrier down."""
        here = self._barrier(point, mu)
        for length in _STEPS:
            y = point.y + length * direction
            if not (y > 0).all():
                continue
            y = self._balanced(y, mu)
            try:
                there = _Point(y, self._slack(y).factor())
            except np.linalg.LinAlgError:
                continue
            if self._barrier(there, mu) < here:
                return there
        return None

    def _balanced(self, y: Array, mu: float) -> Array:
        """Return the best (g / s, s tau, s d) for the barrier, in closed form.

        S is then multiplied by powers of s from both sides, so that its determinant is
        s^(N - 2 m) times what it was.
        """
        g, budget = y[0], 2.0 * self.objective(y) - y[0]
        gain = mu * (self.order - 2 * self.sizes[-1])
        s = (gain + math.sqrt(gain**2 + budget * g)) / budget
        return np.concatenate([[g / s], s * y[1:]])

    def _barrier(self, point: _Point, mu: float) -> float:
        pivots = (point.factor.factors[k, k] for k in point.factor.order)
        roots = (p if p.ndim == 1 else np.diagonal(p) for p in pivots)
        logarithm = 2.0 * sum(float(np.log(root).sum()) for root in roots)
        return self.objective(point.y) / mu - logarithm


def _touched(unit: BlockMatrix, rows: list[Array]) -> dict[int, Array]:
    """Return the blocks of rows where a matrix has any."""
    return {i: rows[i] for i in sorted({i for place in unit.blocks for i in place})}
