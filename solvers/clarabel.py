"""Clarabel, an interior-point conic solver, through CVXPY.

Source: Goulart and Chen, arXiv 2405.12762.
"""

from typing import Any

from geolip.backend import Judge, Settings, Solution
from geolip.memory import fits
from geolip.problem import Problem

from ._cvxpy import missing, solve_with, tolerance


def usable() -> str | None:
    """Return None, or why Clarabel cannot run here."""
    return missing("cvxpy", "clarabel")


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Solve the relaxation; ``accuracy`` can only tighten Clarabel's tolerance."""
    gap = tolerance(settings)
    options: dict[str, Any] = {"tol_gap_rel": gap, "tol_gap_abs": gap}
    if settings.time_limit is not None:
        options["time_limit"] = max(settings.time_limit, 1e-3)
    return solve_with("CLARABEL", _fits, options, problem, settings, judge)


def _fits(order: int) -> bool:
    # Measured: about two dense blocks of the order of the packed semidefinite matrix.
    return fits(2.0 * (order * (order + 1) / 2) ** 2)
