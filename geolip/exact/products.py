"""Exact products of integer matrices, computed in float64 and checked in integers.

A product of float64 matrices whose entries are integers is exact, in whatever order a
library sums, as long as no partial sum can reach 2^53. The library is not believed
either: each product is multiplied with a vector of random odd integers modulo 2^64,
which catches a single wrong entry of a row for certain.

Source: docs/certificates.md section 3; the check is Freivalds' (IFIP Congress 1977).
"""

import numpy as np

from geolip.arrays import Array
from geolip.errors import RefusedCertificateError
from geolip.products import product

_LARGEST = 2.0**53
_FEW = 4


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
    reach = _largest_row(left) * _largest_row(right)
    if not summands * reach < _LARGEST:
        raise RefusedCertificateError("numbers too large for exact arithmetic")
    if min(len(left), len(right)) <= _FEW:
        # Not by the library: checking would take as long.
        return np.asarray(np.einsum("ij,kj->ik", left, right))
    result = product(left, right)
    _check(left, right, result)
    return result


def _largest_row(matrix: Array) -> float:
    """Return, with room for rounding, the largest l_2 norm of a row."""
    squares = np.einsum("ij,ij->i", matrix, matrix)
    return float(np.sqrt(squares.max(initial=0.0))) * (1 + 1e-6)


def _check(left: Array, right: Array, result: Array) -> None:
    random = np.random.default_rng()
    vector = random.integers(-(2**63), 2**63 - 1, right.shape[0], endpoint=True) | 1
    # int64 arithmetic wraps, which is exact modulo 2^64.
    inner = vector @ right.astype(np.int64)
    integers = result.astype(np.int64)
    # Written so that NaN and numbers that are not integers fail. Larger ones might
    # vanish modulo 2^64, many at once.
    right_numbers = bool((integers == result).all()) and _is_in_range(result)
    if not right_numbers or (integers @ vector != left.astype(np.int64) @ inner).any():
        raise RefusedCertificateError(
            "the linear algebra library multiplies wrongly: try another one, or with "
            "OpenBLAS another OPENBLAS_CORETYPE"
        )


def _is_in_range(matrix: Array) -> bool:
    largest, least = matrix.max(initial=0.0), matrix.min(initial=0.0)
    return bool(max(largest, -least) < _LARGEST)
