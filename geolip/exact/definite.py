"""Bounds of eigenvalues in exact arithmetic, from factors that nobody trusts.

Source: docs/certificates.md section 3. Whatever L and s are, ``B = s I + L L' + E``
gives ``lambda_min(B) >= s - max_i sum_j |E_ij|``.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockFactor, Blocks, added
from geolip.errors import RefusedCertificateError
from geolip.exact.faults import proposing
from geolip.exact.fixed import UP, Fixed, proposed, total
from geolip.exact.gram import exactly_less_product
from geolip.exact.slack import Slack
from geolip.tiles import tiled_factor, tiles

# Shifts to try, and whether with the factor's low digits. Often lambda_min is large; it
# is at least what a repair leaves, usually.
_ATTEMPTS = (
    *((2.0**-exponent, False) for exponent in (16, 18)),
    *((2.0**-exponent, True) for exponent in (27, 30, 33, 36, 40)),
)
# Shares by which the largest eigenvalue is overestimated on purpose.
_SLACKS = (2.0**-46, 2.0**-40, 2.0**-30)

# Entries of a factor are below one: a digit of 26 bits, and one of 20.
_HIGH, _LOW = 2.0**26, 2.0**20
# Digits of a fixed-point number, and what they are in units of 2^-52, 2^-72 and 2^-92.
_UNITS = (((0, 2.0**31), (1, 2.0**10)), ((2, 2.0**9),), ((3, 2.0**8),))
# Numbers below this times the low digit's base leave room for sums of products.
_FITS = 2.0**32


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
    for shift, fine in _ATTEMPTS:
        factor = _factor(B, shift)
        if factor is None:
            continue
        L = tiled_factor(factor, parts)
        least = Fraction(shift) - _residual(cut, shift, L, fine)
        if least > 0:
            return least, factor
    raise RefusedCertificateError("B(tau, D) is not shown to be positive definite")


@proposing
def _factor(B: Slack, shift: float) -> BlockFactor | None:
    """Return a factor of B - s I, about, or None."""
    try:
        return B.floats.shifted(shift).factor()
    except np.linalg.LinAlgError:
        return None


def _residual(B: Slack, shift: float, factor: BlockFactor, fine: bool) -> Fraction:
    """Return an upper bound of the norm of ``B - shift I - L L'``.

    L is the factor's high digits H, or if asked for and of use, H and the low ones.
    What digits of B leave out is below half of ``left_out``, on the diagonal twice.
    """
    H = {place: np.rint(block * _HIGH) for place, block in factor.factors.items()}
    unit, left_out = _HIGH**-2, 2.0**-41
    shifts = (np.full(size, -shift / unit) for size in B.sizes)
    top = added(_digits(B, 0), {(i, i): own for i, own in enumerate(shifts)})
    E = exactly_less_product(top, H, H, B.sizes)
    finer = _with_low_digits(E, B, factor, H) if fine else None
    if finer is not None:
        E, unit, left_out = finer, unit / _LOW**2, 2.0**-83
    sums = zip(_row_sums(E, B.sizes), _row_sums(B.errors(), B.sizes), strict=True)
    largest = max(float((own * unit + doubt).max()) for own, doubt in sums)
    return Fraction(largest * UP) + Fraction(left_out) * sum(B.sizes)


def _with_low_digits(
    E: Blocks, B: Slack, factor: BlockFactor, H: Blocks
) -> Blocks | None:
    """Return ``B - shift I - L L'`` for L = H + F, in units of 2^-92.

    ``L L' = H H' + (H F' + F H') + F F'``, each in units of 2^-20 times those before.
    What is left of B after one step, at first E, fits into the units of the next; if
    not, the factor is none of B, and nothing is returned.
    """
    F = {
        place: np.rint((block * _HIGH - H[place]) * _LOW)
        for place, block in factor.factors.items()
    }
    for step, L, M in ((1, H, F), (2, F, F)):
        if not all(np.abs(block).max(initial=0.0) < _FITS for block in E.values()):
            return None
        larger = {place: block * _LOW for place, block in E.items()}
        more = added(larger, _digits(B, step))
        E = exactly_less_product(more, L, M, B.sizes)
    return E


def _digits(B: Slack, step: int) -> Blocks:
    """Return what B has in units of ``2^-52``, beside that ``2^-72``, and ``2^-92``."""

    def digits(entries: Fixed) -> Array:
        parts = [
            entries.digits[k] * factor
            for k, factor in _UNITS[step]
            if k < len(entries.digits)
        ]
        return np.asarray(sum(parts, np.zeros(entries.shape)))

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
        # t I - A = -s I + L L' + E: no eigenvalue of A is above t + s by more than |E|.
        above = proposed(np.full(size, top), 4)
        shift = 2.0 ** max(-52, int(np.frexp(slack * top)[1]))
        rest = Slack((size[1],), [above], {(0, 0): -scaled}, [])
        factor = _factor(rest, -shift)
        if factor is None:
            continue
        missed = _residual(rest, -shift, factor, fine=True)
        bound = above.fractions()[0, 0] + Fraction(shift) + missed
        return min(rows, Fraction(bound) * 4 / unit)
    return rows
