"""A dual point well inside the feasible set, where interior methods start.

Source: docs/solvers.md section 2.
"""

import numpy as np

from geolip.errors import SolverError
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.sweep import interior_point, sweep

# Share of each block's own multipliers that a start leaves to its Schur complement.
_MARGIN = 0.3
_ENLARGED = 1.4


def well_inside(
    problem: Problem, multipliers: Multipliers
) -> tuple[Multipliers, float]:
    """Return multipliers near the given ones, and an ample g near ``T(tau)``.

    Returns
    -------
    Multipliers, float
        Strictly feasible with that multiplier g of the outputs.

    Raises
    ------
    SolverError
        If no feasible point is found.
    """
    try:
        _, inner = sweep(problem, multipliers, margin=_MARGIN).best()
    except np.linalg.LinAlgError:
        inner = interior_point(problem)
    inner = inner.scaled_tau(_ENLARGED)
    try:
        bound, _ = sweep(problem, inner).price(1.0)
    except np.linalg.LinAlgError:
        bound = np.inf
    if not np.isfinite(bound):
        raise SolverError("no interior point was found to start from")
    inner = inner.scaled(bound / problem.norm.budget(inner.tau))
    return inner, _ENLARGED * bound
