"""The best verified bound of one problem so far: the judge that solvers talk to."""

from collections.abc import Callable

import numpy as np

from geolip import repair
from geolip.clock import StageClock
from geolip.problem import Multipliers, Problem
from geolip.verify import round_multipliers, verified_bound

Progress = Callable[[str], None]


class Incumbent:
    """Repairs and verifies every candidate, and keeps the best.

    Whatever becomes of the solver afterwards, `bound` has been verified.

    Parameters
    ----------
    problem : Problem
        What is bounded.
    label : str
        For progress messages.
    clock : StageClock
        Verification is counted as its own stage, also inside a solver.
    progress : callable
        Called with one line after each candidate.

    Attributes
    ----------
    bound : float
        The best verified bound, infinite before the first.
    value : float or None
        The relaxation's value as the solver last knew it.
    """

    def __init__(
        self, problem: Problem, label: str, clock: StageClock, progress: Progress
    ) -> None:
        self.problem = problem
        self.bound = float("inf")
        self.value: float | None = None
        self._label, self._clock, self._progress = label, clock, progress
        self._seen: Multipliers | None = None

    def consider(
        self, candidate: Multipliers | None, value: float | None = None
    ) -> float:
        """Repair and verify a candidate; return the best verified bound so far.

        None asks for the problem's own interior point. A value that is not a finite
        number is ignored.
        """
        if value is not None and np.isfinite(value):
            self.value = float(value)
        if candidate is not None and candidate is self._seen:
            return self.bound
        self._seen = candidate
        with self._clock.stage("verify"):
            for repaired in repair.candidates(self.problem, candidate):
                bound = verified_bound(self.problem, round_multipliers(repaired))
                if bound is not None:
                    self.bound = min(self.bound, bound)
                    break
        self._progress(self._line())
        return self.bound

    def _line(self) -> str:
        value = "-" if self.value is None else f"{self.value:.7g}"
        elapsed = self._clock.elapsed()
        known = f"relaxation {value}, bound {self.bound:.7g}"
        return f"{self._label}: {known}, {elapsed:.1f} s"
