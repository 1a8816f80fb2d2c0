"""MOSEK, a commercial interior-point solver, through CVXPY.

Source: Andersen and Andersen, The MOSEK interior point optimizer, 2000.
"""

import os
from pathlib import Path
from typing import Any

from geolip.backend import Judge, Settings, Solution
from geolip.errors import SolverError, SolverUnavailableError
from geolip.problem import Problem

from ._cvxpy import missing, solve_with, tolerance

_LICENCE_HELP = (
    "no licence: put mosek.lic into ~/mosek or name it in MOSEKLM_LICENSE_FILE"
)


def usable() -> str | None:
    """Return None, or why MOSEK cannot run here; a licence is looked for, not tried."""
    if (reason := missing("cvxpy")) is not None:
        return reason
    if missing("mosek") is not None:
        return "not installed: pip install geolip[mosek]"
    return None if _has_licence() else _LICENCE_HELP


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Solve the relaxation; ``accuracy`` can only tighten MOSEK's tolerance."""
    gap = tolerance(settings)
    parameters: dict[str, Any] = {"MSK_DPAR_INTPNT_CO_TOL_REL_GAP": gap}
    if settings.time_limit is not None:
        parameters["MSK_DPAR_OPTIMIZER_MAX_TIME"] = max(settings.time_limit, 1e-3)
    options = {"mosek_params": parameters}
    try:
        return solve_with("MOSEK", _fits, options, problem, settings, judge)
    except SolverError as error:
        # A licence that is there but expired or for another machine shows only now.
        if "licen" in str(error).lower():
            raise SolverUnavailableError(f"mosek: {_LICENCE_HELP}") from error
        raise


def _has_licence() -> bool:
    named = os.environ.get("MOSEKLM_LICENSE_FILE")
    if named:
        # A list of files and of port@host servers.
        places = named.split(os.pathsep)
        return any("@" in place or Path(place).exists() for place in places)
    return (Path.home() / "mosek" / "mosek.lic").is_file()


def _fits(order: int) -> bool:
    # GeoLIP solves networks of about this size with it.
    return order <= 2500
