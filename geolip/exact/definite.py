"""Bounds of eigenvalues in exact arithmetic, from factors that nobody trusts.

Source: docs/certificates.md section 3. Whatever L and s are, ``B = s I + L L' + E``
gives ``lambda_min(B) >= s - max_i sum_j |E_ij|``.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockFactor, Blocks, added
from geolip.errors import RefusedCertificateError
from geolip.exact.fixed import UP, Fixed, proposed, total
from geolip.exact.gram import IntegerBlocks, exactly_less_products
from geolip.exact.slack import Slack

# Shifts to try, and how many digits of a factor. Often lambda_min is large; it is at
# least what a repair leaves, usually.
_ATTEMPTS = (
    (2.0**-16, 1),
    *((2.0**-exponent, 2) for exponent in (27, 30)),
    *((2.0**-exponent, 3) for exponent in (33, 36, 40)),
)
# Shares by which the largest eigenvalue is overestimated on purpose.
_SHARES = (2.0**-46, 2.0**-40, 2.0**-30)

# A factor's rows are about as long as the roots of B's diagonal, below one: a digit of
# 26 bits and more of 20.
_HIGH, _LOW = 2.0**26, 2.0**20
# Digits of a fixed-point number, and what they are in units of 2^-52, 2^-72 and 2^-92.
_UNITS = (((0, 2.0**31), (1, 2.0**10)), ((2, 2.0**9),), ((3, 2.0**8),))
# More than what later digits can add to an entry; on the diagonal, two numbers have
# some: the third digit is below 2^-43, the fourth below 2^-64, the fifth below 2^-85.
_LEFT_OUT = (2.0**-41, 2.0**-62, 2.0**-83)


def least_eigenvalue(B: Slack) -> tuple[Fraction, BlockFactor]:
    """Return a positive lower bound of the least eigenvalue, and what showed it.

    The latter is about a factor of B less a small multiple of the identity.

    Raises
    ------
    RefusedCertificateError
        If none of the factors that floating point proposes shows one.
    """
    found = _shown(B, _ATTEMPTS)
    if found is None:
        raise RefusedCertificateError("B(tau, D) is not shown to be positive definite")
    return found


def _shown(
    B: Slack, attempts: Iterable[tuple[float, int]]
) -> tuple[Fraction, BlockFactor] | None:
    """Return the same of the first attempt that shows one.

    An attempt is a shift, a multiple of 2^-52, and how many digits of a factor.
    """
    for shift, digits in attempts:
        factor = _factor(B, shift)
        if factor is None:
            continue
        missed = _residual(B, shift, factor.factors, digits)
        if missed is not None and missed < shift:
            return Fraction(shift) - missed, factor
    return None


@np.errstate(all="ignore")
def _factor(B: Slack, shift: float) -> BlockFactor | None:
    """Return a factor of B - s I, about, or None."""
    try:
        return B.floats.shifted(shift).factor()
    except np.linalg.LinAlgError:
        return None


def _residual(B: Slack, shift: float, L: Blocks, digits: int) -> Fraction | None:
    """Return an upper bound of the norm of ``B - shift I - L L'``.

    L is rounded to so many digits, ``L = H + F + G``. What is left of B after ``H H'``
    is small, so that it fits into units of 2^-20 times the size, those of ``H F' + F
    H'``, and then into those of ``F F' + H G' + G H'``: as many steps as digits. Other
    products are bounded. None if something does not fit: such an L is none of B.
    """
    parts = [IntegerBlocks(B.sizes, part) for part in _digits(L, digits)]
    last = digits - 1
    # In the unit of a step before the first.
    E: Blocks = {(i, i): np.full(n, -shift / _unit(-1)) for i, n in enumerate(B.sizes)}
    for step in range(digits):
        larger = {place: block * _LOW for place, block in E.items()}
        pairs = [
            (parts[a], parts[step - a]) for a in range(digits) if 0 <= step - a < digits
        ]
        rest = exactly_less_products(added(_part(B, step), larger), pairs, B.sizes)
        if rest is None:
            return None
        E = rest
    left_out = _LEFT_OUT[last] + sum(
        parts[a].longest * parts[b].longest * _unit(a + b)
        for a in range(digits)
        for b in range(digits)
        if a + b > last
    )
    sums = zip(_row_sums(E, B.sizes), _row_sums(B.errors(), B.sizes), strict=True)
    largest = max(float((own * _unit(last) + doubt).max()) for own, doubt in sums)
    return Fraction((largest + left_out * sum(B.sizes)) * UP)


def _unit(step: int) -> float:
    """Return the unit of products of digits: 2^-52, 2^-72, 2^-92 and so on."""
    return _HIGH**-2 * _LOW**-step


def _digits(L: Blocks, count: int) -> list[Blocks]:
    """Return digits of a factor, as integers."""
    found: list[Blocks] = []
    rest = {place: block * _HIGH for place, block in L.items()}
    for k in range(count):
        if k:
            rest = {place: (b - found[-1][place]) * _LOW for place, b in rest.items()}
        found.append({place: np.rint(block) for place, block in rest.items()})
    return found


def _part(B: Slack, step: int) -> Blocks:
    """Return what B has in the unit of a step, beside that of the steps before."""

    def digits(entries: Fixed) -> Array:
        known = len(entries.digits)
        parts = (entries.digits[k] * unit for k, unit in _UNITS[step] if k < known)
        return sum(parts, np.zeros(entries.shape))

    return B.each(digits)


def _row_sums(blocks: Blocks, sizes: Sequence[int]) -> list[Array]:
    """Return the sums of the rows' absolute entries, about, of lower blocks."""
    sums = [np.zeros(size) for size in sizes]
    for (i, j), block in blocks.items():
        entries = np.abs(block)
        sums[i] += entries if block.ndim == 1 else entries.sum(axis=1)
        if i != j:
            sums[j] += entries.sum(axis=0)
    return sums


def largest_eigenvalue(matrix: Fixed) -> Fraction:
    """Return an upper bound of the largest eigenvalue of a matrix's symmetric part."""
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
    # I - A has no eigenvalue below 1 - top, but for what top is wrong by.
    ones = proposed(np.ones((1, matrix.shape[0])), 1)
    rest = Slack((matrix.shape[0],), [ones], {(0, 0): -scaled}, [])
    shifts = (1 - (1 + share) * top for share in _SHARES)
    found = _shown(rest, [(float(np.rint(s / _unit(0))) * _unit(0), 3) for s in shifts])
    return rows if found is None else min(rows, (1 - found[0]) * 4 / unit)
