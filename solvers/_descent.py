"""Descent along the central path, for deep chains of layers of any depth.

A lifted point tells the value, but on a deep network its multipliers say little: each
layer multiplies the damage that their errors do. Points of the central path have no
such weakness: long before their own objective is close, their multipliers, once swept,
give bounds that are. So this solver starts well inside, lets block coordinate descent
(`_chain`) come near the central path, and follows it for as long as the bound improves.

Source: docs/solvers.md section 3.
"""

import math
import time
from dataclasses import replace

import numpy as np

from geolip.backend import Judge, Settings, Solution, Status
from geolip.errors import SolverError
from geolip.problem import Problem

from ._chain import Chain
from ._inside import well_inside

# The gap that the barrier leaves on the central path, relative to the value: in the
# first round it falls from the first to the last, in later ones from the second.
_FIRST, _AGAIN, _LAST = 5.0, 1.0, 1e-2
_SHRINK = 0.9
# The Newton decrement up to which a point is near the path, halved from round to round:
# the nearer, the better the bounds, and the longer it takes.
_NEAR = 0.4
_ROUNDS = 4
# Passes that may be spent on coming near for one value of the gap.
_PATIENCE = 200
# Passes between two looks at the bound, which costs about as much as one.
_LOOK = 10
# Passes that centre the point for an interior-point method.
_SETTLING = 3


def improve(
    problem: Problem, settings: Settings, judge: Judge, point: Solution
) -> Solution:
    """Go on from a lifted solution until the judge is satisfied or nothing improves.

    Raises
    ------
    SolverError
        If no feasible point is found to start from.
    """
    if judge.satisfied or point.multipliers is None or not point.value:
        return point
    descent = Descent(problem, settings, judge, point)
    near, first, last = _NEAR, _FIRST, math.inf
    for _ in range(_ROUNDS):
        descent.follow(_LAST, first=first, near=near)
        if descent.status is not None or not descent.bound < last:
            break
        near, first, last = near / 2, _AGAIN, descent.bound
    return descent.solution()


class Descent:
    """The way along the central path, with the judge looking on.

    Parameters
    ----------
    problem, settings, judge
        As in `geolip.backend.Backend.solve`; the problem is a chain.
    point : Solution
        A lifted solution, with multipliers and a value.

    Attributes
    ----------
    chain : Chain
        The point.
    mu : float
        The barrier's weight.
    status : Status or None
        Why it ended, None if it may go on.
    bound : float
        The best bound when it was last looked at.
    """

    def __init__(
        self, problem: Problem, settings: Settings, judge: Judge, point: Solution
    ) -> None:
        if point.multipliers is None or not point.value:
            raise SolverError("there is no lifted solution to start from")
        try:
            self.chain = Chain(problem, *well_inside(problem, point.multipliers))
        except np.linalg.LinAlgError as error:
            raise SolverError(f"no interior point to start from: {error}") from error
        self.mu = math.inf
        self.status: Status | None = None
        self.bound = math.inf
        self._passes = 0
        self._start = time.monotonic()
        self._settings, self._judge, self._point = settings, judge, point
        self._value = point.value

    def follow(self, last: float, first: float = _FIRST, near: float = _NEAR) -> None:
        """Descend while the gap on the path shrinks from first to last."""
        gap, tries = first, 0
        while gap > last and self.status is None:
            self._descend(gap)
            tries += 1
            if self.chain.distance <= near or tries > _PATIENCE:
                gap, tries = _SHRINK * gap, 0
        for _ in range(_SETTLING):
            if self.status is None:
                self._descend(gap)

    def solution(self) -> Solution:
        """Return where the descent has come to."""
        return replace(
            self._point,
            status=self.status or Status.STALLED,
            multipliers=self.chain.multipliers,
            iterations=self._point.iterations + self._passes,
        )

    def _descend(self, gap: float) -> None:
        """Take one pass; look at the bound and the clock now and then."""
        self.mu = gap * self._value / self.chain.order
        try:
            self.chain.descend(self.mu)
        except np.linalg.LinAlgError:
            # Rounding has carried the point out of the feasible set.
            self.status = Status.STALLED
            return
        self._passes += 1
        if self._passes % _LOOK == 0:
            done = self._point.iterations + self._passes
            self.bound = self._judge.consider(self.chain.multipliers, self._value, done)
            if self._judge.satisfied:
                self.status = Status.SOLVED
        limit = self._settings.time_limit
        if (
            self.status is None
            and limit is not None
            and time.monotonic() - self._start > limit
        ):
            self.status = Status.TIME_LIMIT
