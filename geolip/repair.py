"""Turning whatever a solver returns into multipliers that the verifier accepts.

At the optimum B(tau, D) is singular, so a solver's point is usually on the wrong side
by a little. Several repairs are tried and the best is kept; a wrong repair can cost
tightness, never soundness, because the verifier decides.

Source: docs/theory.md section 4; blending with an interior point after Jansson, Chaykin
and Keil (SIAM J. Numer. Anal. 46, 2007).
"""

from collections.abc import Iterator

import numpy as np

from geolip.interior import backward_schur, interior_point
from geolip.problem import Multipliers, Problem

# The verifier wants B, scaled to unit diagonal, to be positive definite by a little
# more than its own rounding; this many units for each rounding has been enough in
# practice.
_MARGIN = 128 * 2.0**-53

_HUGE = 1e100

# How much more tau the verifier may be offered, if a repaired point is too near to the
# boundary for it.
_NUDGES = (0.0, 1e-10, 1e-9, 1e-8, 1e-6)

# At the optimum the bound is T(tau); within this factor of it no other repair is tried.
_GOOD = 1.1


def candidates(problem: Problem, proposal: Multipliers | None) -> Iterator[Multipliers]:
    """Yield repaired multipliers, the one with the least expected bound first.

    Parameters
    ----------
    problem : Problem
        The problem.
    proposal : Multipliers or None
        A solver's answer: of any shape, with NaN, infinite or negative entries, or
        none.

    Yields
    ------
    Multipliers
        Each positive and finite. The first that the verifier accepts is the one to
        take; the last is the problem's own interior point.
    """
    clean = None if proposal is None else _sanitised(problem, proposal)
    if clean is not None:
        repaired = sorted(_repairs(problem, clean), key=lambda pair: pair[0])
        for _, multipliers in repaired:
            for nudge in _NUDGES:
                yield multipliers.scaled_tau(1 + nudge)
    interior = _interior(problem)
    if interior is not None:
        yield interior


def _repairs(
    problem: Problem, clean: Multipliers
) -> Iterator[tuple[float, Multipliers]]:
    """Yield (expected bound, multipliers) for every repair that has to be tried."""
    scaled = best_tau(problem, clean)
    if scaled is not None:
        expected, _ = estimate(problem, scaled)
        yield expected, scaled
        if expected <= _GOOD * problem.norm.budget(clean.tau):
            return
    try:
        swept = best_tau(problem, backward_schur(problem, clean))
    except (np.linalg.LinAlgError, ValueError):
        swept = None
    interior = _interior(problem)
    blended = interior and best_blend(problem, clean, interior)
    for repaired in (swept, blended):
        if repaired is not None:
            yield estimate(problem, repaired)[0], repaired


def _interior(problem: Problem) -> Multipliers | None:
    try:
        interior = interior_point(problem)
    except (np.linalg.LinAlgError, ValueError):
        return None
    return best_tau(problem, interior) or interior


def _sanitised(problem: Problem, proposal: Multipliers) -> Multipliers | None:
    """Return the proposal with tiny entries raised, or None if it says nothing."""
    parts = [np.asarray(part, dtype=float) for part in proposal]
    if [part.shape for part in parts] != [(size,) for size in problem.network.sizes]:
        return None
    cleaned = []
    for part in parts:
        usable = np.isfinite(part) & (part > 0)
        if not usable.any():
            return None
        floor = 1e-9 * float(part[usable].max())
        cleaned.append(np.where(usable & (part > floor), part, floor))
    clean = Multipliers(cleaned[0], tuple(cleaned[1:]))
    largest = max(float(part.max()) for part in cleaned)
    # Scaling all multipliers changes no bound, and keeps them from overflowing.
    return clean if largest < _HUGE else clean.scaled(1.0 / largest)


@np.errstate(over="ignore", invalid="ignore")
def estimate(problem: Problem, multipliers: Multipliers) -> tuple[float, float]:
    """Return the bound that the multipliers would give, and its slope in log tau.

    Returns
    -------
    (float, float)
        The bound in floating point, infinite if B is not positive definite by the
        margin; and a number with the sign of its derivative when tau is scaled up.
    """
    matrix = problem.matrix(multipliers)
    scales = multipliers.scales()
    outputs = [s[:, None] * c for s, c in zip(scales, problem.output(), strict=True)]
    try:
        factor = matrix.scaled(scales).shifted(_MARGIN * problem.roundings).factor()
    except np.linalg.LinAlgError:
        return np.inf, -1.0
    solved = factor.solve(outputs)
    gram = sum(c.T @ v for c, v in zip(outputs, solved, strict=True))
    if not np.isfinite(gram).all():
        return np.inf, -1.0
    values, basis = np.linalg.eigh(np.asarray(gram))
    # The derivative of u'B^-1u along tau is -x' diag(tau) x for x = B^-1 u.
    x = scales[0] * (solved[0] @ basis[:, -1])
    slope = values[-1] - float(multipliers.tau @ x**2)
    bound = np.sqrt(problem.norm.budget(multipliers.tau) * max(values[-1], 0.0))
    return float(bound), float(slope)


def best_tau(problem: Problem, multipliers: Multipliers) -> Multipliers | None:
    """Scale tau to where the bound is least; None if no factor up to 100 is feasible.

    As a function of the factor s, the square of the bound is convex where B is positive
    definite, so the sign of its slope tells on which side of s the best one lies.
    """
    best, best_bound = None, np.inf
    # 1 + step for steps -10^-1 .. -10^-10, 10^-10 .. 10^2, numbered by their exponents;
    # bisection over the decades, then inside the one that is left.
    low, high = -10.0, 13.0
    while high - low > 0.3:
        middle = (low + high) / 2 if high - low <= 1 else np.floor((low + high) / 2)
        step = 10.0 ** (middle - 11) if middle > 0 else -(10.0 ** (-middle - 11))
        candidate = multipliers.scaled_tau(1 + step)
        bound, slope = estimate(problem, candidate)
        if bound < best_bound:
            best, best_bound = candidate, bound
        low, high = (middle, high) if slope < 0 else (low, middle)
    return best


def best_blend(
    problem: Problem, proposal: Multipliers, interior: Multipliers
) -> Multipliers | None:
    """Move the proposal towards the interior point by as little as helps.

    B is linear in the multipliers, so the feasible shares of the interior point are an
    interval that ends at one. The interior point is first scaled to where ``T(tau)`` is
    its bound, as it is at the optimum.
    """
    bound, _ = estimate(problem, interior)
    if not np.isfinite(bound):
        return None
    interior = interior.scaled(bound / problem.norm.budget(interior.tau))
    shares = 10.0 ** np.arange(-10.0, 0.0, 0.5)
    blends = [proposal.blend(interior, share) for share in shares]
    low, high = 0, len(shares)
    while low < high:
        middle = (low + high) // 2
        feasible = np.isfinite(estimate(problem, blends[middle])[0])
        low, high = (low, middle) if feasible else (middle + 1, high)
    # The least bound is a little inside the feasible interval.
    inside = [best_tau(problem, blend) for blend in blends[low : low + 4]]
    found = [blend for blend in inside if blend is not None]
    return min(found, key=lambda m: estimate(problem, m)[0], default=None)
