"""The lifted solver first, and a second one where its gap stays open.

Lifted settles shallow and wide networks in moments. On deep ones its value converges
but its multipliers do not; there its point is where the interior-point solver starts,
or, where that solver's matrices do not fit, the descent along a chain.

Source: docs/solvers.md section 4.
"""

import time

from geolip.backend import Judge, Settings, Solution, Status
from geolip.errors import SolverError
from geolip.problem import Problem

from . import _descent, interior, lifted
from ._chain import is_chain

# Lifted may double its iterations once more before the gap is to be closed.
_PATIENCE = 1.0
# Descent helps where lifted is further off than this; nearer, lifted gets there itself.
_FAR = 0.1


def usable() -> str | None:
    """Return None: both solvers need nothing but NumPy and SciPy."""
    return None


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Solve with as many as it takes. Options are those of the lifted solver."""
    start = time.monotonic()
    if is_chain(problem) and not interior.is_quick(problem):
        improve, far = _descent.improve, _FAR
    elif interior.fits(problem):
        improve, far = interior.improve, 0.0
    else:
        return lifted.solve(problem, settings, judge)
    point = lifted.run(problem, settings, judge, patience=_PATIENCE, far=far)
    if judge.satisfied or point.status is Status.TIME_LIMIT:
        return point
    left = settings.after(time.monotonic() - start)
    try:
        return improve(problem, left, judge, point)
    except SolverError:
        return point
