"""The best verified bound of one problem so far: the judge that solvers talk to."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geolip.clock import StageClock
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.repair import Promise, mended, rescued
from geolip.verify import round_multipliers, verified_bound


@dataclass(frozen=True)
class Look:
    """One look at a bound in the making; prints as a line.

    Parameters
    ----------
    label : str
        What is bounded.
    iteration : int
        The solver's.
    value : float or None
        The relaxation's value as the solver knows it.
    bound : float
        The best bound by now; verified at the latest when the solver is done.
    verified : float
        The best that is verified already, infinite before the first.
    seconds : float
        Since the start.
    """

    label: str
    iteration: int
    value: float | None
    bound: float
    verified: float
    seconds: float

    def __str__(self) -> str:
        value = "-" if self.value is None else f"{self.value:.7g}"
        gap = "-" if not self.value else f"{self.bound / self.value - 1:.1e}"
        bound = "bound" if self.bound >= self.verified else "bound, to be verified,"
        return (
            f"{self.label}: iteration {self.iteration}, relaxation {value}, "
            f"{bound} {self.bound:.7g}, gap {gap}, {self.seconds:.1f} s"
        )


# What it is called with prints as one line.
Progress = Callable[[Look | str], None]

# Where the bound is so many times the relaxation's value, a sweep was not enough.
_POOR = 1.1

# How much more tau the verifier is offered, where repaired multipliers are too near to
# the boundary for it.
_NUDGES = (0.0, 1e-10, 1e-9, 1e-8, 1e-6, 1e-4)


# Room for the rounding of whoever checks the bound again, on another machine.
_ROOM = 1 + 2.0**-40


def proved(problem: Problem, repaired: Multipliers) -> Promise | None:
    """Return the verified bound of repaired multipliers, and what proves it.

    Parameters
    ----------
    problem : Problem
        What is bounded.
    repaired : Multipliers
        Feasible but for rounding; the verifier is offered a little more tau if needed.

    Returns
    -------
    (float, Multipliers) or None
        None if nothing verifies.
    """
    for nudge in _NUDGES:
        offered = round_multipliers(repaired.scaled_tau(1 + nudge))
        bound = verified_bound(problem, offered)
        if bound is not None:
            return bound * _ROOM, offered
    return None


class Incumbent:
    """Repairs every candidate, keeps the best promise, and verifies when it matters.

    Verification costs about as much as repair. It is done for a candidate that promises
    what the solver is asked for, and when the solver is done or interrupted; what is
    reported has always been verified.

    Parameters
    ----------
    problem : Problem
        What is bounded.
    accuracy : float
        The relative gap between bound and relaxation value that is good enough.
    target : float
        A bound that is good enough whatever the gap.
    label : str
        For progress messages.
    clock : StageClock
        Verification is counted as its own stage, also inside a solver.
    progress : callable
        Called with a `Look` after each candidate.

    Attributes
    ----------
    bound : float
        The best verified bound, infinite before the first.
    multipliers : Multipliers or None
        Those that prove it.
    value : float or None
        The relaxation's value as the solver last knew it.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        accuracy: float = 1e-4,
        target: float = 0.0,
        label: str = "",
        clock: StageClock | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.problem = problem
        self.bound = float("inf")
        self.multipliers: Multipliers | None = None
        self.value: float | None = None
        self.accuracy, self._target, self._label = accuracy, target, label
        self._clock, self.progress = clock or StageClock(), progress
        self._seen: Multipliers | None = None
        self._promise = float("inf")
        self._best: Multipliers | None = None
        self._iteration = 0

    def consider(
        self,
        candidate: Multipliers | None,
        value: float | None = None,
        iteration: int = 0,
    ) -> float:
        """Repair a candidate; return the best bound verified or promised so far.

        A value that is not a finite number is ignored.
        """
        if isinstance(value, float | int) and np.isfinite(value):
            self.value = float(value)
        if candidate is not None and candidate is not self._seen:
            self._seen = candidate
            with self._clock.stage("verify"):
                self._keep(mended(self.problem, candidate))
                if self._is_enough(self._promise):
                    self._verify()
        self._show(iteration)
        return min(self.bound, self._promise)

    def verified(self) -> float:
        """Return the best bound that can be verified of what is repaired by now."""
        with self._clock.stage("verify"):
            self._verify()
        return self.bound

    def settle(self) -> float:
        """Return the best bound that can be verified with what has been seen."""
        with self._clock.stage("verify"):
            self._verify()
            # Far above the value, the last candidate deserves more than a sweep.
            if self.bound > _POOR * (self.value or 0.0):
                self._keep(rescued(self.problem, self._seen))
                self._verify()
        self._show(self._iteration)
        return self.bound

    @property
    def gap(self) -> float:
        """The verified gap ``bound / value - 1``, infinite while one is not known."""
        return self.bound / self.value - 1 if self.value else float("inf")

    @property
    def satisfied(self) -> bool:
        """Whether a verified bound is as good as was asked for."""
        return self._is_enough(self.bound)

    def _show(self, iteration: int) -> None:
        self._iteration = iteration
        if self.progress is not None:
            least = min(self.bound, self._promise)
            seconds = self._clock.elapsed()
            self.progress(
                Look(self._label, iteration, self.value, least, self.bound, seconds)
            )

    def _keep(self, promise: Promise | None) -> None:
        if promise is not None and promise[0] < self._promise:
            self._promise, self._best = promise

    def _is_enough(self, bound: float) -> bool:
        if bound <= self._target:
            return True
        return self.value is not None and bound <= self.value * (1 + self.accuracy)

    def _verify(self) -> None:
        if self._best is None:
            return
        found = proved(self.problem, self._best)
        if found is not None and found[0] < self.bound:
            self.bound, self.multipliers = found
        self._promise, self._best = self.bound, None
