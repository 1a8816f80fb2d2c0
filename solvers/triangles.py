"""Tighter than the relaxation: triangle inequalities among input coordinates.

The relaxation replaces signs by unit vectors. Three signs never balance, three vectors
at 120 degrees do; triangle inequalities (`geolip.triangles`) forbid that. First the
relaxation is solved without them. Then, a few times, the most violated ones join, and
their weights are found by dual ascent along the lifted solver's iterations:

    w <- max(w + s v, 0),      v = (1 - |b'X|^2) / 2

In the end the weights stay fixed, which makes the rest the lifted solver's problem with
another block on the input. Whatever the weights are, the bound is verified.

The value that is reported stays the relaxation's without triangles: bounds are below.

Source: docs/solvers.md section 7. Cutting planes for cut problems: Helmberg and Rendl
(SIAM J. Optim. 8, 1998); on low-rank factors by multipliers, Burer and Monteiro.
"""

import math
import time
from dataclasses import replace

import numpy as np

from geolip.backend import Judge, Settings, Solution
from geolip.errors import UsageError
from geolip.problem import Problem
from geolip.triangles import Places, Triangles

from . import auto, lifted

_DEFAULTS = {"cuts": 6, "rounds": 1, "ascents": 60, "rank": 24}
# Triangles that are looked at in a round; beyond, a random sample.
_LOOKED_AT = 300_000
# Violations below that are left alone.
_LEAST_VIOLATION = 0.02
# Shares of the largest weight below which a triangle leaves.
_NEGLIGIBLE = 1e-4
# Fixed weights: iterations after which the bound is looked at.
_LOOKS = (20, 40, 80, 160, 320, 640, 1280)
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
    if point.multipliers is None or point.vectors is None:
        return point
    deadline = math.inf if left is None else time.monotonic() + left
    state = lifted.resumed(problem, point.vectors, point.multipliers)
    search = _Search(problem, settings, judge, state, deadline)
    for _ in range(options["rounds"]):
        search.join(options["cuts"] * size)
        search.ascend(options["ascents"])
    iterations = search.polish()
    return replace(point, iterations=point.iterations + iterations)


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
    problem, settings, judge
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
        judge: Judge,
        state: lifted.State,
        deadline: float,
    ) -> None:
        self._problem, self._judge, self._deadline = problem, judge, deadline
        self._accuracy = settings.accuracy
        self._random = np.random.default_rng(settings.seed)
        self._triangles = Triangles.none(problem.network.input_size)
        self._plain, self._state = state.multipliers, state

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
        """Find weights: those of the second half of the iterations, on average."""
        size = self._problem.network.input_size
        corners = self._triangles.corners
        shared = np.maximum(np.bincount(corners.ravel(), minlength=size), 1)
        total, count = np.zeros(len(self._triangles)), 0
        for iteration in range(iterations):
            self._step()
            pulls = self._state.multipliers.tau + self._triangles.loads()
            steps = (pulls / shared)[corners].min(axis=1)
            violations = self._triangles.violations(self._state.vectors[0])
            weights = self._triangles.weights + steps * violations
            self._triangles = self._triangles.weighted(np.maximum(weights, 0.0))
            if iteration >= iterations // 2:
                total, count = total + self._triangles.weights, count + 1
            if self._late:
                break
        self._triangles = self._triangles.weighted(total / max(count, 1))

    def polish(self) -> int:
        """Iterate with fixed weights and show the judge; return the iterations."""
        weights = self._triangles.weights
        matter = weights > _NEGLIGIBLE * weights.max(initial=0.0)
        self._triangles = self._triangles.chosen(matter)
        first = last = self._judge.consider(self._plain)
        for iteration in range(1, _LOOKS[-1] + 1):
            self._step()
            if iteration in _LOOKS or self._late:
                bound = self._judge.consider(self._state.multipliers)
                stands_still = last * (1 - self._accuracy) < bound < first
                reached = bound <= self._reach() * (1 + self._accuracy)
                if stands_still or reached or self._late:
                    break
                last = bound
        return iteration

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
        """Return triples of coordinates: all of them, or a sample of so many."""
        size = self._problem.network.input_size
        if math.comb(size, 3) <= _LOOKED_AT:
            places = np.arange(size)
            first, second, third = np.ix_(places, places, places)
            return np.argwhere((first < second) & (second < third))
        drawn = self._random.integers(0, size, (_LOOKED_AT, 3))
        drawn.sort(axis=1)
        return drawn[(drawn[:, 0] < drawn[:, 1]) & (drawn[:, 1] < drawn[:, 2])]

    def _step(self) -> None:
        multipliers = replace(self._state.multipliers, triangles=self._triangles)
        state = replace(self._state, multipliers=multipliers)
        self._state = lifted.iterate(self._problem, state)
