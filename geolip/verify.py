"""Deciding whether multipliers prove a bound: where a number becomes one.

B(tau, D) is scaled to a diagonal near one by powers of two, shifted and factorised. If
the Cholesky factor R of ``B - s I`` exists, its backward error bounds the least
eigenvalue of B from below, by s minus ``(N + 8) u || |R'| |R| ||`` and minus the
rounding that forming B may have caused. The quadratic form C B^-1 C' is then bounded by
an approximate solution X, its residual ``C' - B X``, and that eigenvalue.

Source: docs/theory.md section 4. Backward error: Higham, Accuracy and Stability of
Numerical Algorithms, theorem 10.3, for any order of summation after Rump and Jeannerod
(SIAM J. Matrix Anal. Appl. 35, 2014).
"""

import math
from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockFactor, BlockMatrix
from geolip.problem import Multipliers, Problem

# What a bound of this module is called; proof-grade levels have other names.
TRUST = "checked-float"

_UNIT = 2.0**-53
# More than what numbers below float64's range may have added up to anywhere.
_UNDERFLOW = 2.0**-500


def round_multipliers(multipliers: Multipliers) -> Multipliers:
    """Round to 24 significant bits, so that products with float32 weights are exact.

    The exponent keeps float64's range. Infinite and NaN entries stay what they are.
    """

    def rounded(values: Array) -> Array:
        fraction, exponent = np.frexp(values)
        return np.asarray(np.ldexp(np.rint(fraction * 2.0**24), exponent - 24))

    return Multipliers(
        rounded(multipliers.tau), tuple(rounded(d) for d in multipliers.d)
    )


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
    if problem.is_trivial:
        return 0.0
    if not multipliers.usable(problem.network.sizes):
        return None
    try:
        # An entry that underflows would lose its relative accuracy.
        with np.errstate(under="raise"):
            form = _quadratic_form(problem, multipliers)
    except FloatingPointError:
        return None
    if form is None:
        return None
    bound = math.sqrt(_budget(problem, multipliers)) * form * (1 + 16 * _UNIT)
    # One step up covers a product that underflows.
    bound = math.nextafter(bound, math.inf)
    return bound if 0 < bound < math.inf else None


def _quadratic_form(problem: Problem, multipliers: Multipliers) -> float | None:
    """Return a bound of sqrt(lambda_max(C B^-1 C')), None if B > 0 is not shown."""
    scales = multipliers.scales()
    scaled = problem.matrix(multipliers).scaled(scales)
    outputs = _scaled(problem.output(), scales)
    # The output is brought near one by a power of two, so that squares do not
    # underflow.
    _, exponent = math.frexp(max(float(np.abs(c).max(initial=0.0)) for c in outputs))
    unit = math.ldexp(1.0, -min(max(exponent, -1000), 1000))
    outputs = [unit * c for c in outputs]
    spread_outputs = [unit * c for c in _scaled(problem.output_majorant(), scales)]
    doubt = problem.roundings * _UNIT * 1.001
    columns = [scale[:, None] for scale in scales]
    row_sums = _scaled(problem.majorant(multipliers, columns), scales)
    forming = doubt * max(float(part.max(initial=0.0)) for part in row_sums)
    with np.errstate(under="ignore"):
        least, factor = _least_eigenvalue(scaled, forming)
        if factor is None:
            return None
        solution = _refined(scaled, factor, outputs)
        absolute = [np.abs(x) for x in solution]
        # The residual is uncertain by the rounding of B X and of forming B and C.
        unscaled = [s[:, None] * x for s, x in zip(scales, absolute, strict=True)]
        spread = _scaled(problem.majorant(multipliers, unscaled), scales)
        residual = _subtract(outputs, scaled.apply(solution))
        error = [doubt * (a + b) for a, b in zip(spread, spread_outputs, strict=True)]
        # C B^-1 C' <= C X + X'R + |R|^2 / least, up to the rounding of the products.
        gram = _product(outputs, solution) + _product(solution, residual)
        remainder = _frobenius(residual) + _frobenius(error)
        lost = _product(absolute, error) + doubt * (
            _product(spread_outputs, absolute)
            + _product(absolute, [np.abs(r) for r in residual])
        )
        if not np.isfinite(gram).all():
            return None
        largest = float(np.linalg.eigvalsh((gram + gram.T) / 2)[-1])
        rounding = (len(gram) + 8) ** 2 * _UNIT * float(np.linalg.norm(gram))
        form = largest + float(np.linalg.norm(lost)) + rounding + remainder**2 / least
    if not 0 < form < math.inf:
        return None
    return math.nextafter(math.sqrt(form + _UNDERFLOW) / unit, math.inf)


def _budget(problem: Problem, multipliers: Multipliers) -> float:
    # A sum of n positive numbers in float64 is too small by at most n u, relatively.
    value = problem.norm.budget(multipliers.tau)
    return math.nextafter(value * (1 + 2 * len(multipliers.tau) * _UNIT), math.inf)


def _least_eigenvalue(
    matrix: BlockMatrix, forming: float
) -> tuple[float, BlockFactor | None]:
    """Return a lower bound of the least eigenvalue, and the factor that shows it.

    ``forming`` bounds the l_2 norm of what rounding changed when the matrix was formed;
    the factorisation loses about as much again.
    """
    size = sum(matrix.sizes)
    ones = [np.ones((n, 1)) for n in matrix.sizes]
    for shift in (max(1e-8, 32 * forming), 8 * forming, 3 * forming):
        try:
            factor = matrix.shifted(shift).factor()
        except np.linalg.LinAlgError:
            continue
        growth = factor.absolute_product(ones)
        largest = max(float(part.max(initial=0.0)) for part in growth)
        backward = (size + 8) * _UNIT * largest * (1 + 1e-6)
        least = shift - backward - forming - 4 * _UNIT
        if least > 0:
            return least, factor
    return -math.inf, None


def _refined(
    matrix: BlockMatrix, factor: BlockFactor, outputs: Sequence[Array]
) -> list[Array]:
    """Solve B X = C' with two steps of refinement, since the factor is of B - s I."""
    solution = factor.solve(outputs)
    for _ in range(2):
        residual = _subtract(outputs, matrix.apply(solution))
        step = factor.solve(residual)
        solution = [x + s for x, s in zip(solution, step, strict=True)]
    return solution


def _scaled(V: Sequence[Array], scales: Sequence[Array]) -> list[Array]:
    return [scale[:, None] * v for scale, v in zip(scales, V, strict=True)]


def _subtract(V: Sequence[Array], W: Sequence[Array]) -> list[Array]:
    return [v - w for v, w in zip(V, W, strict=True)]


def _product(V: Sequence[Array], W: Sequence[Array]) -> Array:
    return np.asarray(sum(v.T @ w for v, w in zip(V, W, strict=True)))


def _frobenius(V: Sequence[Array]) -> float:
    return math.sqrt(sum(float(np.sum(v**2)) for v in V)) * (1 + 1e-12)
