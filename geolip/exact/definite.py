"""Bounds of eigenvalues in exact arithmetic, from factors that nobody trusts.

Source: docs/certificates.md section 3. Whatever L and s are, ``B = s I + L L' + E``
gives ``lambda_min(B) >= s - max_i sum_j |E_ij|``.
"""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from geolip.blocks import BlockFactor
from geolip.errors import RefusedCertificateError
from geolip.exact.faults import proposing
from geolip.exact.fixed import Fixed, fixed, proposed, total
from geolip.exact.slack import Slack
from geolip.tiles import tiled_factor, tiles

# Shifts to try: lambda_min is at least what a repair leaves, usually.
_SHIFTS = (2.0**-27, 2.0**-30, 2.0**-33, 2.0**-36, 2.0**-40)
# Digits of a factor: more where fewer do not suffice.
_DIGITS = (2, 3)
# Shares by which the largest eigenvalue is overestimated on purpose.
_SLACKS = (2.0**-46, 2.0**-40, 2.0**-30)

Factor = Mapping[tuple[int, int], Fixed]


def least_eigenvalue(B: Slack) -> tuple[Fraction, BlockFactor]:
    """Return a positive lower bound of the least eigenvalue, and what showed it.

    The latter is about a factor of B less a small multiple of the identity.

    Raises
    ------
    RefusedCertificateError
        If none of the factors that floating point proposes shows one.
    """
    parts = tiles(B.sizes)
    cut = B.tiled(parts)
    for shift in _SHIFTS:
        factor = _factor(B, shift)
        if factor is None:
            continue
        L = tiled_factor(factor, parts)
        for digits in _DIGITS:
            least = Fraction(shift) - _largest_residual(cut, shift, L, digits)
            if least > 0:
                return least, factor
    raise RefusedCertificateError("B(tau, D) is not shown to be positive definite")


@proposing
def _factor(B: Slack, shift: float) -> BlockFactor | None:
    """Return a factor of B - s I, about, or None."""
    try:
        return B.floats().shifted(shift).factor()
    except np.linalg.LinAlgError:
        return None


def _largest_residual(
    B: Slack, shift: float, factor: BlockFactor, digits: int
) -> Fraction:
    """Return the largest row sum of ``|B - shift I - L L'|``."""
    L = {place: proposed(block, digits) for place, block in factor.factors.items()}
    diagonal = {k for (i, k), F in factor.factors.items() if i == k and F.ndim == 1}
    sums: list[list[Fixed]] = [[] for _ in B.sizes]
    for i, size in enumerate(B.sizes):
        for j in range(i):
            E = _residual(B.blocks.get((i, j)), L, diagonal, i, j)
            if E is not None:
                sums[i].append(E.row_sums())
                sums[j].append(E.transposed().row_sums())
        parts = [B.diagonals[i], -fixed([np.full((1, size), shift)], 4)]
        if i in diagonal:
            parts.append(-L[i, i].scaled_columns(L[i, i]))
        own = total(parts)
        E = _residual(B.blocks.get((i, i)), L, diagonal, i, i)
        E = own.transposed() if E is None else E.plus_diagonal(own)
        sums[i].append(E.row_sums())
    return max(total(parts).largest() for parts in sums)


def _residual(
    B: Fixed | None, L: Factor, diagonal: set[int], i: int, j: int
) -> Fixed | None:
    """Return block (i, j) of B - L L', without the squares of diagonal pivots."""
    terms = [] if B is None else [B]
    for k in sorted({k for _, k in L}):
        if (i, k) not in L or (j, k) not in L or (i == j == k and k in diagonal):
            continue
        if k in diagonal and j == k:
            part = L[i, k].scaled_columns(L[k, k])
        elif k in diagonal and i == k:
            part = L[j, k].scaled_columns(L[k, k]).transposed()
        else:
            part = L[i, k].times(L[j, k])
        terms.append(-part)
    return total(terms) if terms else None


def largest_eigenvalue(matrix: Fixed) -> Fraction:
    """Return an upper bound of the largest eigenvalue of a symmetric matrix.

    The real matrix is symmetric; what is known of it need not be.
    """
    if matrix.shape == (1, 1):
        return matrix.largest()
    # Twice the matrix, and its rows as a first bound.
    double = total([matrix, matrix.transposed()])
    rows = double.row_sums().largest() / 2
    if rows == 0:
        return rows
    unit = Fraction(2) ** (rows.denominator.bit_length() - rows.numerator.bit_length())
    scaled = double.times_power_of_two(float(unit) / 8)
    top = float(np.linalg.eigvalsh(scaled.floats())[-1])
    if not top > 0:
        return rows
    size = (1, len(matrix.digits[0]))
    for slack in _SLACKS:
        # No eigenvalue of A is above t by more than |E| if t I - A = L L' + E.
        above = proposed(np.full(size, top * (1 + slack)), 4)
        rest = Slack((size[1],), [above], {(0, 0): -scaled}, [])
        factor = _factor(rest, -slack * top)
        if factor is None:
            continue
        missed = _largest_residual(rest, 0.0, factor, _DIGITS[-1])
        bound = above.fractions()[0, 0] + missed
        return min(rows, Fraction(bound) * 4 / unit)
    return rows
