"""The exact entries of linear operators, as sums of short float64 numbers.

A product of two numbers of at most 26 significant bits is exact in float64. Stored
weights are cut into at most two such pieces; products with scalings, selections and
averages of a few are formed of these, other products of operators in fixed point. Where
the model's real number is itself rounded by the importer, such as a third, the distance
is carried along.

Source: docs/certificates.md section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from geolip.arrays import Array, least_size
from geolip.errors import RefusedCertificateError
from geolip.exact.fixed import EXACT, TINY, UP, fixed, total
from geolip.linear import Composition, LinearOperator, Sparse, Sum
from geolip.tiles import Rows, submatrix

_SHORT = 26
# Digits of factors of a product: more than twice the precision of float64.
_DIGITS = 6
_UNIT = 2.0**-53
# Smaller products might lose digits to underflow.
_LEAST = 2.0**-900
# Entries a row of matrices whose products are formed entry by entry.
_FEW = 4


@dataclass(frozen=True, eq=False)
class Entries:
    """A matrix as a sum.

    Parameters
    ----------
    parts : sequence of array (m, n)
        Numbers of at most 26 significant bits each.
    error : array (m, n) or (1, 1)
        The real entries differ from the sum by at most so much.
    """

    parts: Sequence[Array]
    error: Array = field(default_factory=lambda: EXACT)

    def transposed(self) -> "Entries":
        """Return the transposed matrix."""
        return Entries([part.T for part in self.parts], self.error.T)

    def floats(self) -> Array:
        """Return the nearest float64 matrix, about."""
        return np.asarray(sum(self.parts))

    def scaled(self, rows: Array, columns: Array) -> "Entries":
        """Return the matrix with rows and columns multiplied by powers of two."""
        parts = [rows[:, None] * part * columns for part in self.parts]
        return Entries(parts, carried(rows[:, None], carried(self.error, columns)))

    def times_power_of_two(self, exponent: int) -> "Entries":
        """Return the matrix times 2^exponent."""
        parts = [np.ldexp(part, exponent) for part in self.parts]
        return Entries(parts, raised(self.error, exponent))

    def normalised(self) -> tuple["Entries", int]:
        """Return the matrix with rows' sums below one half, and its binary exponent."""
        largest = float(self.sizes().sum(axis=1).max(initial=0.0))
        exponent = int(np.frexp(largest)[1]) + 1
        return self.times_power_of_two(-exponent), exponent

    def part(self, rows: Rows, columns: Rows) -> "Entries":
        """Return some rows and columns."""
        parts, error = [submatrix(p, rows, columns) for p in self.parts], self.error
        if error.size != 1:
            error = submatrix(error, rows, columns)
        return Entries(parts, error)

    @property
    def size(self) -> int:
        """How many numbers are held."""
        return sum(part.size for part in (*self.parts, self.error))

    @property
    def is_zero(self) -> bool:
        """Whether all real entries are known to be zero."""
        return not any(part.any() for part in (*self.parts, self.error))

    def sizes(self) -> Array:
        """Return upper bounds of the absolute entries."""
        return sum_of_sizes(self.parts) + self.error


def pieces(numbers: Array) -> list[Array]:
    """Return numbers of at most 26 bits that add up to the given ones, exactly."""
    fraction, exponent = np.frexp(numbers)
    high = np.ldexp(np.rint(fraction * 2.0**_SHORT), exponent - _SHORT)
    low = numbers - high
    return [high, low] if low.any() else [high]


def products(left: Sequence[Array], right: Sequence[Array]) -> list[Array]:
    """Return short numbers that add up to the product of two sums of short ones.

    Raises
    ------
    RefusedCertificateError
        If a product may leave float64's range.
    """
    parts = [piece for part in long_products(left, right) for piece in pieces(part)]
    return [part for part in parts if part.any()] or parts[:1]


def long_products(left: Sequence[Array], right: Sequence[Array]) -> list[Array]:
    """Return float64 numbers that add up to the product of two sums of short ones.

    Raises
    ------
    RefusedCertificateError
        If a product may leave float64's range.
    """
    least = min(map(least_size, left)) * min(map(least_size, right))
    if not least > _LEAST:
        raise RefusedCertificateError("numbers too small for exact arithmetic")
    return [a * b for a in left for b in right]


def entries(operator: LinearOperator) -> Entries:
    """Return the matrix of an operator."""
    match operator:
        case Sum():
            return _added([entries(term) for term in operator.terms])
        case Composition():
            return _chained(operator.factors)
    error = EXACT
    if operator.roundings:
        error = _doubt(operator) * operator.absolute.dense()
    return Entries(pieces(operator.dense()), error)


def _added(terms: Sequence[Entries]) -> Entries:
    parts = [part for term in terms for part in term.parts]
    error = sum((term.error for term in terms), EXACT)
    return Entries(parts, error * UP)


def _chained(factors: Sequence[LinearOperator]) -> Entries:
    first, *others = factors
    if not others:
        return entries(first)
    left = _stored(first)
    if left is not None and _is_thin(left):
        return _combined(left, _chained(others))
    *before, last = factors
    # Unless the last leaves few columns, which are better chosen first.
    if len(before) == 1 or 2 * last.shape[1] > last.shape[0]:
        right = _stored(last)
        if right is not None and _is_thin(flipped := right.transpose()):
            return _combined(flipped, _chained(before).transposed()).transposed()
    return _product(entries(first), _chained(others))


def _stored(operator: LinearOperator) -> Sparse | None:
    """Return an operator by its entries, if it has no others than it stores."""
    if isinstance(operator, Sum | Composition):
        return None
    if isinstance(operator, Sparse):
        return operator
    return Sparse(sparse.csr_array(operator.dense()), operator.roundings)


def _is_thin(operator: Sparse) -> bool:
    """Return whether rows are better added up one by one than multiplied."""
    m, n = operator.shape
    return operator.most_a_row * m <= _FEW * max(m, n)


def _combined(operator: Sparse, matrix: Entries) -> Entries:
    """Return the product with a matrix of few entries a row."""
    count = max(1, operator.most_a_row)
    return _added([_kth_entries(operator, k, matrix) for k in range(count)])


def _kth_entries(operator: Sparse, k: int, matrix: Entries) -> Entries:
    """Return what the k-th entries of all rows contribute: scaled rows."""
    stored, count = operator.matrix, operator.shape[0]
    rows = np.flatnonzero(np.diff(stored.indptr) > k)
    places = stored.indptr[rows] + k
    factors, columns = np.zeros((count, 1)), np.zeros(count, dtype=np.intp)
    factors[rows, 0], columns[rows] = stored.data[places], stored.indices[places]
    chosen = matrix.part(columns, slice(None))
    parts = products(pieces(factors), chosen.parts)
    error = carried(np.array([[_doubt(operator)]]), chosen.sizes()) + chosen.error
    return Entries(parts, carried(np.abs(factors), error))


def _product(left: Entries, right: Entries) -> Entries:
    first, own = left.normalised()
    second, theirs = right.transposed().normalised()
    rest = fixed(first.parts, _DIGITS, first.error).times(
        fixed(second.parts, _DIGITS, second.error)
    )
    parts: list[Array] = []
    for _ in range(2):
        part = rest.floats()
        parts += pieces(part)
        rest = total([rest, -fixed([part], len(rest.digits))])
    product = Entries(parts, rest.sizes() + rest.error)
    return product.times_power_of_two(own + theirs)


def _doubt(operator: LinearOperator) -> float:
    """Return by how much the stored entries may be off, relatively."""
    return (operator.roundings + 1) * _UNIT if operator.roundings else 0.0


@np.errstate(under="ignore")
def raised(error: Array, exponent: int) -> Array:
    """Return at least an error times 2^exponent."""
    return np.ldexp(error, exponent) * UP + TINY if error.any() else EXACT


@np.errstate(under="ignore")
def carried(sizes: Array, error: Array) -> Array:
    """Return at least an error that is multiplied by numbers of the given sizes."""
    return sizes * error * UP + TINY if sizes.any() and error.any() else EXACT


def sum_of_sizes(parts: Sequence[Array]) -> Array:
    """Return upper bounds of the absolute values of a sum."""
    return np.asarray(sum(np.abs(part) for part in parts)) * UP
