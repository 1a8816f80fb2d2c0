"""Bounds of eigenvalues in exact arithmetic, from factors that nobody trusts.

Source: docs/certificates.md section 3. Whatever L and s are, ``B = s I + L L' + E``
gives ``lambda_min(B) >= s - max_i sum_j |E_ij|``.
"""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from geolip.blocks import BlockFactor
from geolip.errors import RefusedCertificateError
from geolip.exact.fixed import Fixed, fixed, proposed, total
from geolip.exact.slack import Slack

# Shifts to try: lambda_min is at least what a repair leaves, usually.
_SHIFTS = (2.0**-27, 2.0**-30, 2.0**-33, 2.0**-36, 2.0**-40)
# Digits of a factor: more where fewer do not suffice.
_DIGITS = (2, 3)
# Share by which the largest eigenvalue is overestimated on purpose.
_SLACK = 2.0**-44

Factor = Mapping[tuple[int, int], Fixed]


def least_eigenvalue(B: Slack) -> Fraction:
    """Return a positive lower bound of the least eigenvalue.

    Raises
    ------
    RefusedCertificateError
        If none of the factors that floating point proposes shows one.
    """
    approximate = B.floats()
    for shift in _SHIFTS:
        try:
            factor = approximate.shifted(shift).factor()
        except np.linalg.LinAlgError:
            continue
        for digits in _DIGITS:
            least = Fraction(shift) - _largest_residual(B, shift, factor, digits)
            if least > 0:
                return least
    raise RefusedCertificateError("B(tau, D) is not shown to be positive definite")


def _largest_residual(
    B: Slack, shift: float, factor: BlockFactor, digits: int
) -> Fraction:
    """Return the largest row sum of ``|B - shift I - L L'|``."""
    L = {place: proposed(block, digits) for place, block in factor.factors.items()}
    diagonal = {k for (i, k), F in factor.factors.items() if i == k and F.ndim == 1}
    sums = [np.zeros(size, dtype=object) for size in B.sizes]
    for i, size in enumerate(B.sizes):
        for j in range(i):
            E = _residual(B.blocks.get((i, j)), L, diagonal, i, j)
            if E is not None:
                sums[i] = sums[i] + E.row_sums()
                sums[j] = sums[j] + E.transposed().row_sums()
        parts = [B.diagonals[i], -fixed([np.full((1, size), shift)], 4)]
        if i in diagonal:
            parts.append(-L[i, i].scaled_columns(L[i, i]))
        own = total(parts)
        E = _residual(B.blocks.get((i, i)), L, diagonal, i, i)
        E = own.transposed() if E is None else E.plus_diagonal(own)
        sums[i] = sums[i] + E.row_sums()
    return max(Fraction(part.max()) for part in sums)


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
    entries = matrix.fractions()
    doubt = len(entries) * Fraction(float(matrix.error.max()))
    if len(entries) == 1:
        return Fraction(entries[0, 0]) + doubt
    symmetric = (entries + entries.T) / 2
    approximate = symmetric.astype(float)
    identity = np.eye(len(entries), dtype=int).astype(object)
    guess = float(np.linalg.eigvalsh(approximate)[-1]) * (1 + _SLACK)
    # No eigenvalue of A is above t by more than |E| if t I - A = L L' + E.
    rest = guess * (1 + _SLACK) * np.eye(len(entries)) - approximate
    try:
        root = np.linalg.cholesky(rest)
    except np.linalg.LinAlgError as error:
        raise RefusedCertificateError("C B^-1 C' is not bounded") from error
    # The factor in integers, to 60 bits.
    exponent = 60 - int(np.frexp(root.max())[1])
    L = np.ldexp(root, exponent).astype(np.int64).astype(object)
    product = (L @ L.T) * (Fraction(1, 4) ** exponent)
    E = Fraction(guess) * identity - symmetric - product
    return Fraction(guess) + Fraction(abs(E).sum(axis=1).max()) + doubt
