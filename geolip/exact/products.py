"""Exact products of integer matrices, computed in float64 and checked in integers.

A product of float64 matrices whose entries are integers is exact, in whatever order a
library sums, as long as no partial sum can reach 2^53. The library is not believed
either: each product is multiplied with two vectors of random odd integers modulo 2^64.
A single wrong entry of a row is noticed for certain, and any others but with
probability 2^-20 at the most: 2^-126 where one of them is wrong by an odd number.

Source: docs/certificates.md section 3; the check is Freivalds' (IFIP Congress 1977).
"""

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.errors import RefusedCertificateError
from geolip.products import product

LARGEST = 2.0**53
_FEW = 4
# Errors are below 2^54, so that each vector misses with probability 2^-10 at the most.
_VECTORS = 2

# Integers modulo 2^64.
Words = NDArray[np.int64]


def exact_product(left: Array, right: Array, summands: int = 1) -> Array:
    """Return ``left right'`` for integer-valued float64 matrices (m, n) and (p, n).

    So many of such products may be added up exactly.

    Raises
    ------
    RefusedCertificateError
        If the entries are too large for the product to be exact, or the linear algebra
        library has computed it wrongly.
    """
    # By Cauchy and Schwarz, no sum of products is larger.
    reach = _longest(left) * _longest(right)
    if not summands * reach < LARGEST:
        raise RefusedCertificateError("numbers too large for exact arithmetic")
    if reach == 0:
        return np.zeros((len(left), len(right)))
    if min(len(left), len(right)) <= _FEW:
        # Not by the library: checking would take as long.
        return np.asarray(np.einsum("ij,kj->ik", left, right))
    result = product(left, right)
    _check(left, right, result)
    return result


def _check(left: Array, right: Array, result: Array) -> None:
    if result.shape != (len(left), len(right)):
        refuse_library()
    check_integers(result)
    vectors = odd_integers(len(right))
    inner = applied(right.T, vectors)
    if (applied(result, vectors) != applied(left, inner)).any():
        refuse_library()


def _longest(matrix: Array) -> float:
    return rounded_up_root(row_squares(matrix).max(initial=0.0))


def row_squares(matrix: Array) -> Array:
    """Return the sums of the rows' squares, about."""
    return np.asarray(np.einsum("ij,ij->i", matrix, matrix))


def rounded_up_root(square: float) -> float:
    """Return the root with room for rounding, also in the square."""
    return float(np.sqrt(square)) * (1 + 1e-6)


def odd_integers(count: int) -> Words:
    """Return two vectors (2, count) of random odd integers."""
    random = np.random.default_rng()
    shape = _VECTORS, count
    return random.integers(-(2**63), 2**63 - 1, shape, endpoint=True) | 1


def applied(matrix: Array | Words, vectors: Words) -> Words:
    """Return a matrix (m, n), or its diagonal, times vectors (r, n), modulo 2^64.

    The matrix has integers in float64 or int64; arithmetic of int64 wraps.
    """
    whole = matrix.astype(np.int64, copy=False)
    return (
        whole * vectors if whole.ndim == 1 else np.einsum("ij,rj->ri", whole, vectors)
    )


def check_integers(matrix: Array) -> None:
    """Refuse numbers that are no integers, or reach 2^53.

    Raises
    ------
    RefusedCertificateError
        If there are such numbers.
    """
    # Written so that NaN is refused.
    inside = max(matrix.max(initial=0.0), -matrix.min(initial=0.0)) < LARGEST
    if not (inside and (np.rint(matrix) == matrix).all()):
        refuse_library()


def refuse_library() -> NoReturn:
    """Refuse what a linear algebra library has computed wrongly."""
    raise RefusedCertificateError(
        "the linear algebra library multiplies wrongly: try another one, or with "
        "OpenBLAS another OPENBLAS_CORETYPE"
    )
