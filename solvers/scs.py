"""SCS, a first-order conic solver, through CVXPY.

Source: O'Donoghue, Chu, Parikh, Boyd, J. Optim. Theory Appl. 169, 2016.
"""

from typing import Any

from geolip.backend import Judge, Settings, Solution
from geolip.problem import Problem

from ._cvxpy import missing, solve_with


def usable() -> str | None:
    """Return None, or why SCS cannot run here."""
    return missing("cvxpy", "scs")


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Solve the relaxation; ``accuracy`` is SCS's eps_abs and eps_rel."""
    options: dict[str, Any] = {
        "eps_abs": settings.accuracy,
        "eps_rel": settings.accuracy,
        "max_iters": 100_000,
    }
    if settings.time_limit is not None:
        options["time_limit_secs"] = max(settings.time_limit, 1e-3)
    return solve_with("SCS", _fits, options, problem, settings, judge)


def _fits(order: int) -> bool:
    # Its work grows with the cube of the order in every iteration.
    return order <= 2500
