"""Deciding whether multipliers prove a bound: where a number becomes one.

B(tau, D) is scaled to a diagonal near one by powers of two, shifted and factorised. If
a factor R is found, ``s - |B - s I - R R'|`` bounds the least eigenvalue of B from
below, up to the rounding that forming B may have caused. The quadratic form C B^-1 C'
is then bounded by an approximate solution X, its residual ``C' - B X``, and that
eigenvalue. Neither the factor nor the solution is trusted. Where B is so nearly
singular that the rounding of its entries counts, small networks are decided exactly.

Source: docs/theory.md section 4; docs/certificates.md section 2.
"""

import math
from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.errors import RefusedCertificateError
from geolip.exact.decision import proved_square
from geolip.exact.layers import root
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.refinement import solution
from geolip.rigor.definite import largest_eigenvalue, least_eigenvalue
from geolip.rigor.residual import precise_residual
from geolip.rigor.rounding import UNIT, check_processor, up
from geolip.strips import strips
from geolip.tiles import cut, joined, tiled

# The share of the identity to take off B: at least so much, and so many times what
# forming B may have changed.
_SHIFTS = ((1e-8, 32), (1e-10, 8), (1e-12, 3))
# Where rounding may have added such a share to a form, exact arithmetic is asked, about
# networks of at most so many neurons and inputs.
_LOST, _SMALL = 4e-12, 512
# More than what numbers below float64's range may have added up to anywhere.
_UNDERFLOW = 2.0**-500


def round_multipliers(multipliers: Multipliers) -> Multipliers:
    """Round to 24 significant bits, so that products with float32 weights are exact.

    The exponent keeps float64's range. Infinite and NaN entries stay what they are.
    """
    return multipliers.shortened()


@np.errstate(over="ignore", invalid="ignore")
def verified_bound(problem: Problem, multipliers: Multipliers) -> float | None:
    """Return the bound that multipliers prove, or None if they prove nothing.

    Parameters
    ----------
    problem : Problem
        The problem; ``norm`` is the input's, the output is measured in l_2 (for a
        single output that is its absolute value).
    multipliers : Multipliers
        Any numbers of the right shapes; they are used exactly as they are.

    Returns
    -------
    float or None
        An upper bound of the Lipschitz constant of the network of differences, with
        margins for every rounding on the way.
    """
    check_processor()
    if problem.is_trivial:
        return 0.0
    if not multipliers.usable(problem.network.sizes):
        return None
    try:
        # An entry that underflows would lose its relative accuracy.
        with np.errstate(under="raise"):
            found = _quadratic_form(problem, multipliers)
    except FloatingPointError:
        return None
    if found is None:
        return None
    form, lost = found
    bound = math.sqrt(_budget(problem, multipliers)) * form * (1 + 16 * UNIT)
    # One step up covers a product that underflows.
    bound = math.nextafter(bound, math.inf)
    if lost > _LOST and sum(problem.network.sizes) <= _SMALL:
        bound = min(bound, _exact_bound(problem, multipliers))
    return bound if 0 < bound < math.inf else None


def _exact_bound(problem: Problem, multipliers: Multipliers) -> float:
    """Return the bound that exact arithmetic proves, infinite if it proves none.

    It is raised by as much as rounding may add without it being asked, so that who
    checks a bound elsewhere, and loses a little less, finds no larger one.
    """
    try:
        square = proved_square(problem.network, problem.norm, multipliers)
        return math.nextafter(float(root(square)) * (1 + _LOST), math.inf)
    except (RefusedCertificateError, OverflowError):
        return math.inf


def _quadratic_form(
    problem: Problem, multipliers: Multipliers
) -> tuple[float, float] | None:
    """Return a bound of sqrt(lambda_max(C B^-1 C')), and what share of that is doubt.

    None if B > 0 is not shown. The share is that of the square.
    """
    scales = multipliers.scales()
    scaled = problem.matrix(multipliers).scaled(scales)
    outputs = _scaled(problem.output(), scales)
    # The output is brought near one by a power of two, so that squares do not
    # underflow.
    _, exponent = math.frexp(max(float(np.abs(c).max(initial=0.0)) for c in outputs))
    unit = math.ldexp(1.0, -min(max(exponent, -1000), 1000))
    outputs = [unit * c for c in outputs]
    spread_outputs = [unit * c for c in _scaled(problem.output_majorant(), scales)]
    doubt = problem.roundings(multipliers) * UNIT * 1.001
    output_doubt = problem.network.output.roundings * UNIT * 1.001
    columns = [scale[:, None] for scale in scales]
    row_sums = _scaled(problem.majorant(multipliers, columns), scales)
    reach = up(float(np.concatenate(row_sums).max()), sum(scaled.sizes) + 8)
    finite = all(bool(np.isfinite(block).all()) for block in scaled.blocks.values())
    if not finite or not reach < math.inf:
        return None
    forming = doubt * reach
    with np.errstate(under="ignore"):
        parts = strips(problem.network)
        matrix, right = tiled(scaled, parts), cut(outputs, parts)
        least, factor = least_eigenvalue(
            matrix, [max(s, m * forming) for s, m in _SHIFTS]
        )
        least -= forming
        if factor is None or not least > 0:
            return None
        solved = solution(matrix, factor, right, least)
        rest, missed = precise_residual(matrix, right, solved, reach)
        X, residual = joined(solved, parts), joined(rest, parts)
        absolute = [np.abs(x) for x in X]
        # The residual is uncertain by that and by the rounding of forming B and C.
        unscaled = [s[:, None] * x for s, x in zip(scales, absolute, strict=True)]
        spread = _scaled(problem.majorant(multipliers, unscaled), scales)
        error = [
            missed + doubt * a + output_doubt * b
            for a, b in zip(spread, spread_outputs, strict=True)
        ]
        # C B^-1 C' <= C X + X'R + |R|^2 / least, up to the rounding of the products.
        gram = _product(outputs, X) + _product(X, residual)
        remainder = _frobenius(residual) + _frobenius(error)
        summing = (sum(scaled.sizes) + len(scales) + 8) * UNIT
        lost = _product(absolute, error) + (output_doubt + summing) * (
            _product(spread_outputs, absolute)
            + _product(absolute, [np.abs(r) for r in residual])
        )
        missing = up(float(np.linalg.norm(lost)), lost.size + 8) + remainder**2 / least
        form = up(largest_eigenvalue(gram), 2) + up(missing, 8)
    if not 0 < form < math.inf:
        return None
    root_of_form = math.nextafter(math.sqrt(form + _UNDERFLOW) / unit, math.inf)
    return root_of_form, missing / form


def _budget(problem: Problem, multipliers: Multipliers) -> float:
    count = len(multipliers.tau) + len(multipliers.triangles)
    return up(problem.budget(multipliers), count + 1)


def _scaled(V: Sequence[Array], scales: Sequence[Array]) -> list[Array]:
    return [scale[:, None] * v for scale, v in zip(scales, V, strict=True)]


def _product(V: Sequence[Array], W: Sequence[Array]) -> Array:
    return np.asarray(sum(v.T @ w for v, w in zip(V, W, strict=True)))


def _frobenius(V: Sequence[Array]) -> float:
    return math.sqrt(sum(float(np.sum(v**2)) for v in V)) * (1 + 1e-12)
