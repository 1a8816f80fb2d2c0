"""Turning whatever a solver returns into multipliers that the verifier accepts.

At the optimum B(tau, D) is singular, so a solver's point is usually on the wrong side
by a little. A sweep mends that; where the result is poor, blends with an interior point
are tried as well. A wrong repair can cost tightness, never soundness: the verifier
decides.

Source: docs/theory.md section 4; blending with an interior point after Jansson, Chaykin
and Keil (SIAM J. Numer. Anal. 46, 2007).
"""

from typing import TypeAlias

import numpy as np

from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.sweep import interior_point, sweep
from geolip.triangles import Triangles

Promise: TypeAlias = tuple[float, Multipliers]

# Shares of the interior point in a blend.
_SHARES = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 0.5)

# Entries below so much of their block's largest are raised.
_FLOOR = 1e-9
_HUGE = 1e100


def mended(problem: Problem, proposal: Multipliers) -> Promise | None:
    """Return a proposal after a sweep, None if that leads nowhere.

    Parameters
    ----------
    problem : Problem
        The problem.
    proposal : Multipliers
        A solver's answer: of any shape, with NaN, infinite or negative entries.

    Returns
    -------
    (float, Multipliers) or None
        The bound that the multipliers promise, computed without error bounds, and the
        multipliers, which should verify.
    """
    clean = _sanitised(problem, proposal)
    return None if clean is None else _swept(problem, clean)


def rescued(problem: Problem, proposal: Multipliers | None) -> Promise | None:
    """Return the best blend of a proposal with an interior point, or that point alone.

    For proposals that a sweep does not mend. B is linear in the multipliers, so some
    share of an interior point always suffices. Returns as `mended` does; None only if
    the network's own numbers overflow.
    """
    try:
        interior = interior_point(problem)
    except np.linalg.LinAlgError:
        return None
    found = [_swept(problem, interior)]
    clean = None if proposal is None else _sanitised(problem, proposal)
    if clean is not None and found[0] is not None:
        # Scaled to where T(tau) is its bound, as it is at the optimum.
        bound = found[0][0]
        scaled = interior.scaled(bound / problem.budget(interior))
        found += [_swept(problem, clean.blend(scaled, share)) for share in _SHARES]
    return min((f for f in found if f is not None), key=lambda f: f[0], default=None)


def _swept(problem: Problem, multipliers: Multipliers) -> Promise | None:
    try:
        promise, scaled = sweep(problem, multipliers).best()
    except np.linalg.LinAlgError:
        return None
    return (promise, scaled) if np.isfinite(promise) else None


@np.errstate(over="ignore", invalid="ignore")
def _sanitised(problem: Problem, proposal: Multipliers) -> Multipliers | None:
    """Return the proposal with tiny entries raised, or None if it says nothing."""
    try:
        parts = [np.asarray(part, dtype=float) for part in proposal]
    except (TypeError, ValueError):
        return None
    if [part.shape for part in parts] != [(size,) for size in problem.network.sizes]:
        return None
    cleaned = []
    for part, size in zip(parts, problem.magnitudes, strict=True):
        usable = np.isfinite(part) & (part > 0)
        if part.size and not usable.any():
            return None
        # Compared in units that do not change when neurons are rescaled.
        weight = (
            (size / size.max(initial=0.0)) ** 2 if size.any() else np.ones(part.shape)
        )
        if not (weight > 0).all():
            weight = np.ones(part.shape)
        floor = _FLOOR * float((weight * part)[usable].max(initial=0.0)) / weight
        cleaned.append(np.where(usable & (part > floor), part, floor))
    triangles = proposal.triangles
    if not triangles.usable(problem.network.input_size):
        triangles = Triangles.none()
    clean = Multipliers(cleaned[0], tuple(cleaned[1:]), triangles)
    largest = max(float(part.max(initial=0.0)) for part in cleaned)
    # Scaling all multipliers changes no bound, and keeps them from overflowing.
    return clean if largest < _HUGE else clean.scaled(1.0 / largest)
