"""Tighter than the relaxation: triangle inequalities among input coordinates.

The relaxation replaces signs by unit vectors. Three signs never balance, three vectors
at 120 degrees do; triangle inequalities (`geolip.triangles`) forbid that. First the
relaxation is solved without them. Then, a few times, the most violated ones join, and
their weights are found by dual ascent along the lifted solver's iterations:

    w <- max(w + s v, 0),      v = (1 - |b'X|^2) / 2

In the end the weights stay fixed, which makes the rest the lifted solver's problem with
another block on the input. Whatever the weights are, the bound is verified. The value
is what the bound tends to for these weights: no bound of anything.

Source: docs/solvers.md section 8. Cutting planes for cut problems: Helmberg and Rendl
(SIAM J. Optim. 8, 1998); on low-rank factors by multipliers, Burer and Monteiro.
"""

import math
import time
from dataclasses import replace

import numpy as np

from geolip.backend import Judge, Settings, Solution, Status
from geolip.errors import UsageError
from geolip.problem import Problem
from geolip.triangles import Places, Triangles

from . import auto, lifted

_DEFAULTS = {"cuts": 6, "rounds": 1, "ascents": 100, "rank": 24}
# Triangles that are looked at in a round; beyond, a random sample.
_LOOKED_AT = 100_000
_NEURONS = 200
# Violations below that are left alone.
_LEAST_VIOLATION = 0.02
# Shares of the largest weight below which a triangle leaves.
_NEGLIGIBLE = 1e-4
# The first step of the ascent, in shares of what pulls at a coordinate.
_STEP = 2.0
# Fixed weights: iterations after which the bound is looked at, and the share of what
# the triangles can gain that may be left.
_LOOKS = (15, 45, 120, 300, 600)
_LEFT = 0.1
# The signs of a triangle up to a common factor.
_SIGNS = np.array([[1.0, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1]])


def usable() -> str | None:
    """Return None: this solver needs nothing but NumPy and SciPy."""
    return None


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Solve without triangles, then with them, where inputs are measured in l_inf.

    Options (``-S``): ``cuts``, how many join in a round for each input coordinate,
    ``rounds``, ``ascents`` in a round, ``rank``.
    """
    options = _options(settings)
    start = time.monotonic()
    plain = replace(settings, extra={"rank": options["rank"]})
    point = auto.solve(problem, plain, judge)
    left = settings.after(time.monotonic() - start).time_limit
    size = problem.network.input_size
    if problem.norm.name != "inf" or size < 3 or left == 0.0:
        return point
    if point.multipliers is None or point.vectors is None or not point.value:
        return point
    bound = judge.consider(point.multipliers, point.value)
    if judge.satisfied and bound > point.value * (1 + settings.accuracy):
        # Not accurate, so it is below all that anybody wants to know.
        return point
    deadline = math.inf if left is None else time.monotonic() + left
    state = lifted.resumed(problem, point.vectors, point.multipliers)
    search = _Search(problem, settings, state, deadline)
    for _ in range(options["rounds"]):
        search.join(options["cuts"] * size)
        search.ascend(options["ascents"])
    return search.polish(judge, point, bound)


def _options(settings: Settings) -> dict[str, int]:
    unknown = sorted(set(settings.extra) - set(_DEFAULTS))
    if unknown:
        raise UsageError(
            f"the triangles solver has no option {', '.join(unknown)}; it knows "
            f"{', '.join(_DEFAULTS)}"
        )
    chosen = {**_DEFAULTS, **settings.extra}
    for name, value in chosen.items():
        if type(value) is not int or value < 1:
            raise UsageError(f"{name} must be a positive integer, found {value!r}")
    return chosen


class _Search:
    """A lifted point and the triangles that it violates.

    Parameters
    ----------
    problem, settings
        As in `geolip.backend.Backend.solve`.
    state : lifted.State
        Without triangles.
    deadline : float
        When, by `time.monotonic`, nothing new is begun.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        state: lifted.State,
        deadline: float,
    ) -> None:
        self._problem, self._state, self._deadline = problem, state, deadline
        self._accuracy = settings.accuracy
        self._random = np.random.default_rng(settings.seed)
        self._triangles = Triangles.none(problem.network.input_size)
        self._iterations = 0

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._deadline

    def join(self, count: int) -> None:
        """Let those triangles join that matter most, and those leave that do not."""
        weights = self._triangles.weights
        matter = weights > _NEGLIGIBLE * weights.max(initial=0.0)
        kept = self._triangles.chosen(matter)
        corners = self._candidates()
        X = self._state.vectors[0]
        gram = X @ X.T
        a, b, c = (
            gram[corners[:, i], corners[:, j]] for i, j in ((0, 1), (0, 2), (1, 2))
        )
        found = np.stack([-a - b - c, -a + b + c, a - b + c, a + b - c], 1) - 1.0
        worst = found.argmax(axis=1)
        excess = found[np.arange(len(found)), worst]
        # A coordinate that hardly pulls is not worth a triangle.
        pulls = self._state.multipliers.tau[corners].min(axis=1)
        score = np.where(excess > _LEAST_VIOLATION, excess * pulls, 0.0)
        best = np.argsort(-score, kind="stable")[:count]
        best = best[score[best] > 0]
        signs, nothing = _SIGNS[worst[best]], np.zeros(len(best))
        fresh = Triangles(len(X), corners[best], signs, nothing)
        self._triangles = kept.joined(fresh)

    def ascend(self, iterations: int) -> None:
        """Find weights, with steps that shrink to nothing."""
        corners, size = self._triangles.corners, self._triangles.size
        shared = np.maximum(np.bincount(corners.ravel(), minlength=size), 1)
        for iteration in range(iterations):
            self._step()
            pulls = self._state.multipliers.tau + self._triangles.loads()
            steps = _STEP * (1.0 - iteration / iterations) * (pulls / shared)
            violations = self._triangles.violations(self._state.vectors[0])
            weights = self._triangles.weights + steps[corners].min(axis=1) * violations
            self._triangles = self._triangles.weighted(np.maximum(weights, 0.0))
            if self._late:
                break

    def polish(self, judge: Judge, point: Solution, first: float) -> Solution:
        """Iterate with fixed weights until the judge sees most of what they gain.

        Parameters
        ----------
        judge : Judge
            What looks at bounds.
        point : Solution
            Without triangles: what is returned if there are none.
        first : float
            Its bound.
        """
        weights = self._triangles.weights
        matter = weights > _NEGLIGIBLE * weights.max(initial=0.0)
        self._triangles = self._triangles.chosen(matter)
        if not self._triangles:
            return point
        bound, status = first, Status.ITERATION_LIMIT
        for iteration in range(1, _LOOKS[-1] + 1):
            self._step()
            if iteration not in _LOOKS and not self._late:
                continue
            reach = self._reach()
            bound = judge.consider(self._state.multipliers, reach, self._iterations)
            enough = max(_LEFT * (first - reach), self._accuracy * reach)
            if judge.satisfied or bound - reach <= enough:
                status = Status.SOLVED
                break
            if self._late:
                status = Status.TIME_LIMIT
                break
        return Solution(
            status,
            self._state.multipliers,
            min(self._reach(), bound),
            point.iterations + self._iterations,
            tuple(self._state.vectors),
        )

    def _reach(self) -> float:
        """Return about what the bound for the fixed weights will be.

        That is sqrt(g T) where the Lagrangian is (g + T) / 2.
        """
        state, triangles = self._state, self._triangles
        slack = -triangles.weights @ triangles.violations(state.vectors[0])
        budget = state.multipliers.tau.sum() + triangles.budget()
        rest = 2.0 * (state.value + slack) - budget
        return math.sqrt(max(budget * rest, 0.0))

    def _candidates(self) -> Places:
        """Return triples of coordinates: all of them, or a sample of so many.

        Coordinates that no neuron reads together hardly constrain each other. So a
        neuron is drawn, then three of its inputs by the size of their weights.
        """
        size = self._problem.network.input_size
        if math.comb(size, 3) <= _LOOKED_AT:
            places = np.arange(size)
            first, second, third = np.ix_(places, places, places)
            return np.argwhere((first < second) & (second < third))
        readings = [b.preactivation.terms for b in self._problem.network.blocks]
        drawn = []
        for A in [terms[0] for terms in readings if 0 in terms]:
            chosen = np.zeros((A.shape[0], _NEURONS))
            neurons = self._random.integers(0, A.shape[0], _NEURONS)
            chosen[neurons, np.arange(_NEURONS)] = 1.0
            rows = A.adjoint(chosen)
            for row in np.abs(rows.T):
                if np.count_nonzero(row) >= 3:
                    shape = _LOOKED_AT // _NEURONS, 3
                    drawn.append(self._random.choice(size, shape, p=row / row.sum()))
        found = np.sort(np.concatenate([np.zeros((0, 3), dtype=np.int64), *drawn]))
        found = found[(found[:, 0] < found[:, 1]) & (found[:, 1] < found[:, 2])]
        return np.unique(found, axis=0)

    def _step(self) -> None:
        multipliers = replace(self._state.multipliers, triangles=self._triangles)
        state = replace(self._state, multipliers=multipliers)
        self._state = lifted.iterate(self._problem, state)
        self._iterations += 1
