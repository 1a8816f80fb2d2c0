"""Clarabel, an interior-point conic solver, through CVXPY.

Source: Goulart and Chen, arXiv 2405.12762.
"""

import os
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
    return solve_with("CLARABEL", _largest_order(), options, problem, settings, judge)


def _largest_order() -> int:
    """Return the order p for which (p (p+1) / 2)^2 numbers fit in memory twice."""
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / 2
    # Measured: about two such blocks are held.
    return int((half / 16) ** 0.25 * 2**0.5)
