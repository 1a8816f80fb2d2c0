"""What the backends that go through CVXPY share.

CVXPY is a carrier here, not the modelling language: it is handed the program in
standard form, as one sparse matrix.
"""

import contextlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from geolip.backend import Judge, Settings, Solution, Status
from geolip.conic import conic
from geolip.errors import SolverError, UsageError
from geolip.problem import Problem


def tolerance(settings: Settings) -> float:
    """Return an interior-point solver's relative gap: 1e-8, or finer if asked for."""
    return max(min(settings.accuracy * 1e-2, 1e-8), 1e-12)


def missing(*packages: str) -> str | None:
    """Return None, or one line that names what has to be installed."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            return f"not installed: pip install {package}"
    return None


def solve_with(
    solver: str,
    fits: Callable[[int], bool],
    options: Mapping[str, Any],
    problem: Problem,
    settings: Settings,
    judge: Judge,
) -> Solution:
    """Solve with a CVXPY solver and show the answer to the judge.

    Parameters
    ----------
    solver : str
        CVXPY's name of it.
    fits : callable
        Tells whether the solver can hold a semidefinite matrix of so many rows; native
        code that runs out of memory takes the process with it, so this is asked first.
    options : mapping
        Its own options; ``settings.extra`` comes on top.
    problem, settings, judge
        As in `geolip.backend.Backend.solve`.

    Raises
    ------
    SolverError
        If the program is too large, or the solver gave nothing usable.
    """
    order = problem.network.output.size + sum(problem.network.sizes)
    if not fits(order):
        raise SolverError(
            f"{solver.lower()} cannot hold a semidefinite matrix of order {order}: use "
            "the lifted solver"
        )
    import cvxpy as cp

    program = conic(problem)
    y = cp.Variable(program.matrix.shape[1], nonneg=True)
    entries = program.matrix @ y + program.constant
    matrix = cp.reshape(entries, (program.order, program.order), order="C")
    task = cp.Problem(cp.Minimize(program.cost @ y), [matrix >> 0])
    try:
        with warnings.catch_warnings(), _log_on_stderr(settings.verbose):
            warnings.simplefilter("ignore")
            merged = {**options, **settings.extra}
            task.solve(solver=solver, verbose=settings.verbose, **merged)
    except TypeError as error:
        if settings.extra:
            names = ", ".join(settings.extra)
            raise UsageError(
                f"{solver.lower()} does not take these options: {names} ({error})"
            ) from error
        raise SolverError(f"{solver.lower()} failed: {error}") from error
    except Exception as error:
        # Anything may come out of native code and its wrappers; all of it means this.
        raise SolverError(f"{solver.lower()} failed: {error}") from error
    status, iterations = str(task.status), _iterations(task)
    if y.value is None or not np.isfinite(y.value).all():
        raise SolverError(f"{solver.lower()} returned no point, status {status}")
    multipliers = program.multipliers(np.asarray(y.value, dtype=float))
    value = program.value(float(program.cost @ y.value))
    judge.consider(multipliers, value)
    solved = status == cp.OPTIMAL
    return Solution(
        Status.SOLVED if solved else Status.INACCURATE, multipliers, value, iterations
    )


def _iterations(task: Any) -> int:
    return int(getattr(task.solver_stats, "num_iters", None) or 0)


@contextlib.contextmanager
def _log_on_stderr(verbose: bool) -> Iterator[None]:
    """Send what Python and native code print to stderr: stdout is for the result."""
    if not verbose:
        yield
        return
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
