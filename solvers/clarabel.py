"""Clarabel, an interior-point conic solver, through CVXPY.

Source: Goulart and Chen, arXiv 2405.12762.
"""

from typing import Any

from geolip.backend import Judge, Settings, Solution
from geolip.problem import Problem

from ._cvxpy import missing, solve_with


def usable() -> str | None:
    """Return None, or why Clarabel cannot run here."""
    return missing("cvxpy", "clarabel")


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Solve the relaxation; ``accuracy`` only loosens Clarabel's own tolerance."""
    gap = max(min(settings.accuracy * 1e-2, 1e-8), 1e-12)
    options: dict[str, Any] = {"tol_gap_rel": gap, "tol_gap_abs": gap}
    if settings.time_limit is not None:
        options["time_limit"] = max(settings.time_limit, 1e-3)
    return solve_with("CLARABEL", options, problem, settings, judge)
