"""``B - L L'`` in integers: products by a library, checked all at once.

Matrices are given by blocks, whose entries are integers in float64; a diagonal block
may be the vector of its diagonal. Sums and products are exact, in whatever order a
library forms them, as long as none reaches 2^53. Neither that nor the library is
believed: both sides are multiplied with a vector of random odd integers modulo 2^64,
which catches a single wrong entry of a row for certain.

Source: docs/certificates.md section 3; the check is Freivalds' (IFIP Congress 1977).
"""

from collections.abc import Sequence

import numpy as np

from geolip.blocks import Blocks, less_product
from geolip.errors import RefusedCertificateError
from geolip.exact.products import (
    LARGEST,
    Integers,
    applied,
    check_integers,
    odd_integers,
    refuse_library,
    rounded_up_root,
    row_squares,
    transposed_applied,
)


def exactly_less_product(
    B: Blocks, L: Blocks, M: Blocks, sizes: Sequence[int]
) -> Blocks:
    """Return the lower blocks of ``B - L L'`` if M is L, else of ``B - L M' - M L'``.

    Parameters
    ----------
    B : mapping of (i, j) to array, i >= j
        Lower blocks of a symmetric matrix.
    L, M : mapping of (i, k) to array
        Blocks at the same places.
    sizes : sequence of int
        Rows in every block.

    Raises
    ------
    RefusedCertificateError
        If entries are too large for exact sums, or the linear algebra library has
        multiplied wrongly.
    """
    # By Cauchy and Schwarz, no sum of products is larger.
    reach = _longest(L, sizes) * _longest(M, sizes) * (1 if M is L else 2)
    largest = np.max([np.abs(block).max(initial=0.0) for block in B.values()])
    # Written so that NaN is refused.
    if not np.maximum(reach, largest) < LARGEST:
        raise RefusedCertificateError("numbers too large for exact arithmetic")
    rest = less_product(B, L, M)
    _check(B, L, M, rest, sizes)
    return rest


def _longest(L: Blocks, sizes: Sequence[int]) -> float:
    """Return, with room for rounding, the largest l_2 norm of a row."""
    squares = [np.zeros(size) for size in sizes]
    for (i, _), block in L.items():
        squares[i] += block**2 if block.ndim == 1 else row_squares(block)
    return rounded_up_root(np.concatenate(squares).max(initial=0.0))


def _check(B: Blocks, L: Blocks, M: Blocks, rest: Blocks, sizes: Sequence[int]) -> None:
    for block in rest.values():
        check_integers(block)
    vectors = [odd_integers(size) for size in sizes]
    missing = _applied(rest, vectors)
    for left, right in [(L, M)] if M is L else [(L, M), (M, L)]:
        inner = [np.zeros_like(vector) for vector in vectors]
        for (j, k), block in right.items():
            inner[k] += transposed_applied(block, vectors[j])
        for (i, k), block in left.items():
            missing[i] += applied(block, inner[k])
    for given, found in zip(_applied(B, vectors), missing, strict=True):
        if (given != found).any():
            refuse_library()


def _applied(symmetric: Blocks, vectors: Sequence[Integers]) -> list[Integers]:
    """Return a matrix of lower blocks times a vector, modulo 2^64."""
    result = [np.zeros_like(vector) for vector in vectors]
    for (i, j), block in symmetric.items():
        result[i] += applied(block, vectors[j])
        if i != j:
            result[j] += transposed_applied(block, vectors[i])
    return result
