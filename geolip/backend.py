"""What a solver is: a module in ``geolip.solvers`` whose file name is its name.

A solver proposes multipliers and is never believed. While it works it may show
candidates to a `Judge`, which repairs and verifies them and remembers the best bound;
so whatever happens to the solver, that bound stands.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol

import numpy as np

from geolip import listing
from geolip.arrays import Array
from geolip.errors import GeolipError
from geolip.multipliers import Multipliers
from geolip.problem import Problem

PACKAGE = "geolip.solvers"


class Status(Enum):
    """Why a solver stopped; the value is the message for people."""

    SOLVED = "solved to the accuracy asked for"
    TIME_LIMIT = "stopped at the time limit"
    ITERATION_LIMIT = "stopped at the iteration limit"
    STALLED = "stopped because further iterations bring nothing"
    INTERRUPTED = "interrupted"
    INACCURATE = "stopped short of the accuracy asked for"
    FAILED = "failed"
    SETTLED = "stopped below the largest output's bound"
    TRIVIAL = "nothing to solve"
    PARTS = "bounded in parts that fit in memory"


@dataclass(frozen=True)
class Settings:
    """What the user asks of a solver.

    Parameters
    ----------
    accuracy : float
        Relative gap ``bound / relaxation value - 1`` at which it may stop.
    time_limit : float or None
        Seconds.
    seed : int
        Of the random start, where there is one.
    verbose : bool
        Let a third-party solver print its own log on stderr.
    extra : mapping
        Options handed through untouched, ``-S key=value``.
    """

    accuracy: float = 1e-4
    time_limit: float | None = None
    seed: int = 0
    verbose: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def after(self, seconds: float) -> "Settings":
        """Return the settings with so many seconds of the time limit spent."""
        if self.time_limit is None:
            return self
        return replace(self, time_limit=max(self.time_limit - seconds, 0.0))


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver came back with; nothing in it is trusted.

    Parameters
    ----------
    status : Status
        Why it stopped.
    multipliers : Multipliers or None
        Its last or best dual point.
    value : float or None
        The relaxation's value as the solver knows it. For the lifted solver a feasible
        primal value, below the optimum; for others their own objective.
    iterations : int
        As the solver counts them.
    vectors : tuple of array (n_k, r), or None
        The primal point by blocks 0..K, from which slope patterns are rounded.
    """

    status: Status
    multipliers: Multipliers | None = None
    value: float | None = None
    iterations: int = 0
    vectors: tuple[Array, ...] | None = None


def checked(answer: object, problem: Problem) -> Solution:
    """Return a backend's answer with everything left out that is not what it should be.

    Multipliers may still be any numbers of any shape; the judge sorts those out.
    """
    if not isinstance(answer, Solution):
        return Solution(Status.FAILED)
    status, multipliers, value = answer.status, answer.multipliers, answer.value
    if not isinstance(value, float | int) or not np.isfinite(value):
        value = None
    return Solution(
        status=status if isinstance(status, Status) else Status.INACCURATE,
        multipliers=multipliers if isinstance(multipliers, Multipliers) else None,
        value=value,
        iterations=answer.iterations if isinstance(answer.iterations, int) else 0,
        vectors=_checked_vectors(answer.vectors, problem),
    )


def _checked_vectors(vectors: object, problem: Problem) -> tuple[Array, ...] | None:
    if not isinstance(vectors, Sequence):
        return None
    try:
        arrays = [np.asarray(part, dtype=float) for part in vectors]
    except (TypeError, ValueError):
        return None
    rows = [part.shape[:1] for part in arrays if part.ndim == 2]
    if rows != [(size,) for size in problem.network.sizes]:
        return None
    if len({part.shape[1] for part in arrays}) != 1:
        return None
    return tuple(arrays) if all(np.isfinite(part).all() for part in arrays) else None


class Judge(Protocol):
    """Turns candidates into verified bounds."""

    @property
    def satisfied(self) -> bool:
        """Whether a verified bound is as good as was asked for."""

    def consider(
        self, candidate: Multipliers, value: float | None = None, iteration: int = 0
    ) -> float:
        """Repair a candidate; return the best bound known or promised so far.

        ``value`` is the relaxation's value as the solver knows it now, ``iteration``
        where it is.
        """


class Backend(Protocol):
    """The contract of a module in ``solvers/``."""

    def usable(self) -> str | None:
        """Return None, or one line that says why the solver cannot run here.

        Must not import native code.
        """

    def solve(self, problem: Problem, settings: Settings, judge: Judge) -> Solution:
        """Solve, or stop early with what there is.

        Raises
        ------
        SolverUnavailableError, SolverError
            Nothing else; third-party exceptions stay inside.
        """


def names() -> list[str]:
    """Return the names of all solvers, found by listing the folder."""
    try:
        package = importlib.import_module(PACKAGE)
    except ModuleNotFoundError as error:
        raise GeolipError(
            "the solvers are not installed: run `pip install -e .` in the checkout"
        ) from error
    return listing.names(package.__path__)


def get(name: str) -> Backend:
    """Return the solver of that name.

    Raises
    ------
    UsageError
        If there is none; the message lists all.
    """
    backend: Backend = listing.module(PACKAGE, name, names(), "solver")
    return backend
