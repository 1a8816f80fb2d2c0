"""Proved lower bounds of the least eigenvalue of a symmetric matrix.

The residual test is the one that counts. For any L and s,

    A = s I + L L' + E   gives   lambda_min(A) >= s - max_i sum_j |E_ij|

so a factor that a library computed wrongly does no harm. The a-priori test, which
trusts the factorisation and bounds its error from the factor alone, is a second
opinion.

Source: docs/certificates.md section 2. Residual: the idea of INTLAB's isspd (Rump, BIT
46, 2006); a-priori: Higham, Accuracy and Stability of Numerical Algorithms, theorem
10.3, for any order of summation after Rump and Jeannerod (SIAM J. Matrix Anal. Appl.
35, 2014).
"""

import math
from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockFactor, BlockMatrix
from geolip.rigor.rounding import ETA, UNIT, up
from geolip.tiles import tiled, tiled_factor, tiles

# Shares of the identity that make a matrix that should be semidefinite definite.
_SLACKS = (2.0**-46, 2.0**-40, 2.0**-30)


def least_eigenvalue(
    matrix: BlockMatrix, shifts: Sequence[float]
) -> tuple[float, BlockFactor | None]:
    """Return a lower bound of the least eigenvalue, and a factor of ``A - s I``.

    Parameters
    ----------
    matrix : BlockMatrix
        Finite numbers.
    shifts : sequence of float
        The s to try, largest first.

    Returns
    -------
    (float, BlockFactor or None)
        The bound for the first shift for which it is positive; minus infinity and None
        if it is for none.
    """
    for shift in shifts:
        shifted = matrix.shifted(shift)
        try:
            factor = shifted.factor()
        except np.linalg.LinAlgError:
            continue
        least = shift - residual(shifted, factor) - 8 * UNIT
        # Written so that NaN fails.
        if least > 0:
            return math.nextafter(least, -math.inf), factor
    return -math.inf, None


def residual(matrix: BlockMatrix, factor: BlockFactor) -> float:
    """Return an upper bound of ``|A - L L'|`` in l_2, infinite after overflow."""
    cut = tiles(matrix.sizes)
    size, parts = sum(matrix.sizes), len(cut)
    factor = tiled_factor(factor, cut)
    ones = [np.ones((part.size, 1)) for part in cut]
    with np.errstate(over="ignore", invalid="ignore"):
        rest = factor.taken_from(tiled(matrix, cut))
        missed = np.concatenate(rest.absolute().apply(ones))
        products = np.concatenate(factor.absolute_product(ones))
        # Of n products in up to `parts` matrix products, each then subtracted from what
        # is left: that is at most what is missed in the end, and twice the products.
        sums = (1 + (parts + 1) * UNIT) * missed
        sums += (size + 2 * parts + 2) * UNIT * products
        largest = float(sums.max(initial=0.0))
    bound = up(largest, 2 * size + 8) + 12.0 * size**2 * ETA
    return bound if math.isfinite(bound) else math.inf


def largest_eigenvalue(matrix: Array) -> float:
    """Return an upper bound of the largest eigenvalue of a symmetric matrix (m, m).

    Of the symmetric part, if it is not symmetric; infinite if none is shown.
    """
    if len(matrix) == 1:
        return float(matrix[0, 0])
    largest = float(np.abs(matrix).max())
    if not 0 < largest < math.inf:
        return 0.0 if largest == 0 else math.inf
    # To entries of about one; the sum of the two halves is rounded once.
    unit = math.ldexp(1.0, -math.frexp(largest)[1])
    scaled = unit * matrix
    scaled = (scaled + scaled.T) / 2
    identity = np.eye(len(matrix))
    doubt = up(2 * len(matrix) * UNIT, 4) + len(matrix) * ETA
    top = float(np.linalg.eigvalsh(scaled)[-1])
    for slack in _SLACKS:
        # No eigenvalue of A is above t by more than |E| if t I - A = L L' + E.
        rest = BlockMatrix((len(matrix),), {(0, 0): top * identity - scaled})
        try:
            factor = rest.shifted(-slack * (abs(top) + 1)).factor()
        except np.linalg.LinAlgError:
            continue
        return up(max(top + residual(rest, factor) + doubt, 0.0) / unit, 4)
    return math.inf


def a_priori(matrix: BlockMatrix, shift: float, factor: BlockFactor) -> float:
    """Return a lower bound of the least eigenvalue of A from a factor of ``A - s I``.

    Valid where the factor is what a backward stable Cholesky factorisation returned.
    """
    size = sum(matrix.sizes)
    ones = [np.ones((n, 1)) for n in matrix.sizes]
    growth = max(float(p.max(initial=0.0)) for p in factor.absolute_product(ones))
    # Multiplying by reciprocals of pivots, as libraries do, costs a few roundings more.
    return shift - up((size + 8) * UNIT * growth, 2 * size + 8) - 8 * UNIT
