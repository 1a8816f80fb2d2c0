"""The lifted solver first, the interior-point solver where its gap stays open.

Lifted settles shallow and wide networks in moments. On deep ones its value converges
but its multipliers do not; there its point is where the interior-point solver starts.

Source: docs/solvers.md section 3.
"""

import time
from dataclasses import replace

from geolip.backend import Judge, Settings, Solution, Status
from geolip.errors import SolverError
from geolip.problem import Problem

from . import interior, lifted

# Lifted may double its iterations once more before the gap is to be closed.
_PATIENCE = 1.0


def usable() -> str | None:
    """Return None: both solvers need nothing but NumPy and SciPy."""
    return None


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Solve with one or both. Options are those of the lifted solver."""
    start = time.monotonic()
    if not interior.fits(problem):
        return lifted.solve(problem, settings, judge)
    point = lifted.run(problem, settings, judge, patience=_PATIENCE)
    if judge.satisfied or point.status is Status.TIME_LIMIT:
        return point
    limit = settings.time_limit
    if limit is not None:
        limit = max(limit - (time.monotonic() - start), 0.0)
    try:
        return interior.improve(
            problem, replace(settings, time_limit=limit), judge, point
        )
    except SolverError:
        return point
