"""Matrices of fixed-point numbers, held as integer digits in float64.

A number is a sum of digits times powers of 2^-21. Digits are integers in float64 of at
most 2^20 in size but for the first, so that products of matrices of digits are exact.
Where a real matrix is not on the grid, its distance is carried along.

Source: docs/certificates.md section 3; slicing for exact products after Ozaki, Ogita,
Oishi and Rump (Numer. Algorithms 59, 2012).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.errors import RefusedCertificateError
from geolip.exact.products import LARGEST, exact_product

BITS = 21
_BASE = 2.0**BITS
# Bounds of errors are rounded sums and products of a few positive numbers.
UP = 1 + 2.0**-20
# Sums of so many products of two digits are exact.
_COLUMNS = 2048
# Entries up to here leave room for sums and products of digits.
_RANGE = 2.0**10

# More than what underflow may have taken from a bound of an error.
TINY = 2.0**-1000

EXACT: Array = np.zeros((1, 1))
Integers = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Fixed:
    """A real matrix, known up to an error.

    Parameters
    ----------
    digits : tuple of array (m, n)
        Integers; the number is ``sum_k digits[k] 2^(-21 (k + 1))``.
    error : array (m, n) or (1, 1)
        The real entries differ from it by at most so much.
    """

    digits: tuple[Array, ...]
    error: Array = field(default_factory=lambda: EXACT)

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        m, n = self.digits[0].shape
        return m, n

    def transposed(self) -> "Fixed":
        """Return the transposed matrix."""
        return Fixed(tuple(digit.T for digit in self.digits), self.error.T)

    def __neg__(self) -> "Fixed":
        return Fixed(tuple(-digit for digit in self.digits), self.error)

    def times(self, other: "Fixed") -> "Fixed":
        """Return the product with the transposed other matrix, A B'."""
        if self.shape[1] > _COLUMNS:
            return self._times_in_halves(other)
        count = len(self.digits) + len(other.digits)
        summands = min(len(self.digits), len(other.digits))
        digits = [np.zeros((self.shape[0], other.shape[0])) for _ in range(count)]
        # One product for all digits of the other.
        some = [j for j, right in enumerate(other.digits) if right.any()] or [0]
        stacked = np.concatenate([other.digits[j] for j in some])
        for i, left in enumerate(self.digits):
            together = exact_product(left, stacked, summands)
            for place, j in enumerate(some):
                start = place * other.shape[0]
                digits[i + j + 1] += together[:, start : start + other.shape[0]]
        # Not by the linear algebra library, which nobody checks here.
        error = self._error_of_product(other, partial(np.einsum, "ij,kj->ik"))
        return Fixed(_carried(digits), error)

    @np.errstate(under="ignore")
    def _error_of_product(
        self, other: "Fixed", multiply: Callable[[Array, Array], Array]
    ) -> Array:
        if not (self.error.any() or other.error.any()):
            return EXACT
        own = np.broadcast_to(self.error, self.shape)
        theirs = np.broadcast_to(other.error, other.shape)
        error = multiply(own, other.sizes() + theirs) + multiply(self.sizes(), theirs)
        return np.asarray(error * UP + TINY)

    def sizes(self) -> Array:
        """Return upper bounds of the absolute entries."""
        return np.abs(self.floats()) * UP

    def _times_in_halves(self, other: "Fixed") -> "Fixed":
        middle, products = self.shape[1] // 2, []
        for half in (slice(middle), slice(middle, None)):
            columns = slice(None), half
            products.append(self.part(*columns).times(other.part(*columns)))
        return total(products)

    def part(self, rows: slice, columns: slice) -> "Fixed":
        """Return a part of the matrix."""
        error = self.error if self.error.size == 1 else self.error[rows, columns]
        return Fixed(tuple(digit[rows, columns] for digit in self.digits), error)

    def scaled_columns(self, factors: "Fixed") -> "Fixed":
        """Return the matrix with column j multiplied by ``factors[0, j]``."""
        count = len(self.digits) + len(factors.digits)
        digits = [np.zeros(self.shape) for _ in range(count)]
        summands = min(len(self.digits), len(factors.digits))
        if not summands * _largest(self) * _largest(factors) < LARGEST:
            raise RefusedCertificateError("numbers too large for exact arithmetic")
        for i, left in enumerate(self.digits):
            for j, right in enumerate(factors.digits):
                digits[i + j + 1] += left * right
        return Fixed(_carried(digits), self._error_of_product(factors, np.multiply))

    def floats(self) -> Array:
        """Return the nearest float64 matrix, about."""
        weights = [2.0 ** (-BITS * (k + 1)) for k in range(len(self.digits))]
        parts = [w * d for w, d in zip(weights, self.digits, strict=True)]
        return np.asarray(sum(reversed(parts)))

    def square_sum(self) -> Fraction:
        """Return an upper bound of the sum of all squares."""
        sizes = abs(_joined(self.digits)) + self._error_units()
        return Fraction(int((sizes**2).sum())) * _unit(self.digits) ** 2

    @np.errstate(under="ignore")
    def rough_square_sum(self) -> Fraction:
        """Return an upper bound of the same, some parts in a million too large."""
        bounds = self.sizes() + self.error
        return Fraction(float((bounds**2).sum()) * UP + TINY if bounds.any() else 0)

    def largest(self) -> Fraction:
        """Return an upper bound of the largest entry."""
        bounds = _joined(self.digits) + self._error_units()
        return Fraction(int(bounds.max())) * _unit(self.digits)

    def _error_units(self) -> Integers:
        """Return upper bounds of the error as integers, in units of the last digit."""
        units = np.ceil(np.ldexp(self.error, BITS * len(self.digits)))
        return np.asarray(np.frompyfunc(int, 1, 1)(units), dtype=object)

    def times_power_of_two(self, factor: float) -> "Fixed":
        """Return the matrix times a power of two, to a few more digits."""
        weights = [factor * 2.0 ** (-BITS * (k + 1)) for k in range(len(self.digits))]
        parts = [w * digit for w, digit in zip(weights, self.digits, strict=True)]
        return fixed(parts, len(parts) + 3, factor * self.error)

    def row_sums(self) -> "Fixed":
        """Return the sums of the rows' absolute entries, shape (m, 1)."""
        # A digit is at most half of one before it, so that the first decides the sign.
        sign = np.sign(self.digits[0])
        for digit in self.digits[1:]:
            sign = np.where(sign == 0, np.sign(digit), sign)
        # Sums of that many small integers are exact.
        sums = [(sign * digit).sum(axis=1)[:, None] for digit in self.digits]
        if not self.error.any():
            return Fixed(_carried(sums))
        errors = np.broadcast_to(self.error, self.shape).sum(axis=1)[:, None] * UP
        return Fixed(_carried(sums), errors)


def fixed(parts: Sequence[Array], digits: int, error: Array = EXACT) -> Fixed:
    """Return a sum of float64 matrices, to the given number of digits.

    ``error`` bounds how far the sum is from the real matrix.

    Raises
    ------
    RefusedCertificateError
        If an entry is 2^10 or larger, or not a number.
    """
    sums: list[Array] = []
    for part in parts:
        # Written so that NaN is refused.
        if not np.abs(part).max(initial=0.0) < _RANGE:
            raise RefusedCertificateError("numbers too large for exact arithmetic")
        cut, rest = [], part
        for _ in range(digits):
            # A power of two, the nearest integer and what is left of it: all exact.
            rest = rest * _BASE
            cut.append(np.rint(rest))
            rest -= cut[-1]
        sums = [a + b for a, b in zip(sums, cut, strict=True)] if sums else cut
        if rest.any():
            error = error + 2.0 ** (-BITS * digits - 1)
    # Of a single number, they are as small as they should be.
    return Fixed(tuple(sums) if len(parts) == 1 else _carried(sums), error * UP)


def proposed(numbers: Array, digits: int) -> Fixed:
    """Return a matrix, or a row, near the given numbers that is itself exact."""
    return Fixed(fixed([np.atleast_2d(numbers)], digits).digits)


def total(terms: Sequence[Fixed]) -> Fixed:
    """Return the sum of a few matrices of the same shape."""
    if len(terms) == 1:
        return terms[0]
    columns = zip_longest(*(term.digits for term in terms))
    digits = []
    for column in columns:
        first, *others = (digit for digit in column if digit is not None)
        digit = first.copy()
        for other in others:
            digit += other
        digits.append(digit)
    error = sum((term.error for term in terms), EXACT)
    return Fixed(_carried(digits), error * UP)


def _carried(digits: Sequence[Array]) -> tuple[Array, ...]:
    """Return the same numbers with all digits but the first at most 2^20 in size.

    In place: the arrays are the caller's own.
    """
    for k in range(len(digits) - 1, 0, -1):
        carry = digits[k] * (1.0 / _BASE)
        np.rint(carry, out=carry)
        digits[k - 1] += carry
        carry *= _BASE
        digits[k] -= carry
    return tuple(digits)


def _largest(matrix: Fixed) -> float:
    return max(float(np.abs(digit).max(initial=0.0)) for digit in matrix.digits)


def _joined(digits: Sequence[Array]) -> Integers:
    """Return the numbers as Python integers, in units of the last digit."""
    joined = np.zeros(digits[0].shape, dtype=object)
    for digit in digits:
        joined = joined * 2**BITS + digit.astype(np.int64).astype(object)
    return joined


def _unit(digits: Sequence[Array]) -> Fraction:
    return Fraction(1, 2 ** (BITS * len(digits)))
