"""Runs of one solver, which may fail, stop or be interrupted in any way it likes.

What it shows on the way is repaired and verified by an `Incumbent`; whatever happens,
there is an account of the run, and bounds are found without it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from geolip import backend, ordering
from geolip.backend import Backend, Judge, Settings, Solution, Status
from geolip.clock import StageClock
from geolip.errors import GeolipError, SolverUnavailableError, UsageError
from geolip.incumbent import Incumbent
from geolip.problem import Problem

T = TypeVar("T")


@dataclass
class Solving:
    """A solver and the time that its runs have together.

    Parameters
    ----------
    engine : Backend
        The solver.
    settings : Settings
        Its settings; the time limit is for all runs.
    clock : StageClock
        Where stages are timed.

    Attributes
    ----------
    notes : list of str
        What went wrong.
    interrupted : bool
        Whether no solver runs any more.
    """

    engine: Backend
    settings: Settings
    clock: StageClock
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False

    def run(self, problem: Problem, judge: Incumbent, left: int) -> Solution:
        """Let the judge see the solver's work; return the solver's own account."""
        try:
            solution = self._solved(problem, judge, left)
            judge.consider(solution.multipliers, solution.value, solution.iterations)
            self.finished(judge.settle)
        except MemoryError:
            self.notes.append("out of memory: the norm product is reported")
            return Solution(Status.FAILED)
        return solution

    def _solved(self, problem: Problem, judge: Incumbent, left: int) -> Solution:
        """Run the solver; whatever happens to it, return a solution."""
        share = self.share(left, "solve", "verify")
        limit = None if share == math.inf else share
        try:
            if self.interrupted:
                return replace(self._glance(problem, judge), status=Status.INTERRUPTED)
            if limit == 0.0:
                return replace(self._glance(problem, judge), status=Status.TIME_LIMIT)
            with self.clock.stage("solve"):
                settings = replace(self.settings, time_limit=limit)
                answer = self.engine.solve(problem, settings, judge)
                return backend.checked(answer, problem)
        except KeyboardInterrupt:
            self.interrupt()
            return Solution(Status.INTERRUPTED)
        except (SolverUnavailableError, UsageError):
            raise
        except Exception as error:
            # A solver may fail in any way it likes; a bound is still possible.
            what = str(error) if isinstance(error, GeolipError) else repr(error)
            self.notes.append(f"the solver failed: {what}")
            return Solution(Status.FAILED)

    def _glance(self, problem: Problem, judge: Judge) -> Solution:
        """Return what little time finds, for runs that get no time of their own."""
        with self.clock.stage("solve"):
            return ordering.glance(problem, self.settings, judge)

    def share(self, left: int, *stages: str) -> float:
        """Return one run's share of what these stages leave of the time limit."""
        limit = self.settings.time_limit
        if limit is None:
            return math.inf
        spent = sum(self.clock.seconds[name] for name in stages)
        return max(limit - spent, 0.0) / left

    def finished(self, work: Callable[[], T]) -> T:
        """Return what a short step returns; one that is interrupted is done again."""
        try:
            return work()
        except KeyboardInterrupt:
            self.interrupt()
            return work()

    def interrupt(self) -> None:
        """Let no solver run from here on."""
        self.interrupted = True
        self.notes.append("interrupted: bounds are the best verified by then")
