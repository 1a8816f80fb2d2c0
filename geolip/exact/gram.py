"""``B - L L'`` in integers: products by a library, checked all at once.

Matrices are given by blocks, whose entries are integers in float64; a diagonal block
may be the vector of its diagonal. Sums and products are exact, in whatever order a
library forms them, as long as none reaches 2^53. Neither that nor the library is
believed: both sides are multiplied with random vectors, as of `geolip.exact.products`.

Source: docs/certificates.md section 3.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from geolip.arrays import Array
from geolip.blocks import Blocks, less_products
from geolip.exact.products import (
    LARGEST,
    Vectors,
    applied,
    check_integers,
    odd_integers,
    refuse_library,
    rounded_up_root,
    row_squares,
)

Pairs = Sequence[tuple[Blocks, Blocks]]


def exactly_less_products(
    B: Blocks, pairs: Pairs, sizes: Sequence[int]
) -> Blocks | None:
    """Return the lower blocks of ``B - sum L M'``, None if numbers are too large.

    Parameters
    ----------
    B : mapping of (i, j) to array, i >= j
        Lower blocks of a symmetric matrix.
    pairs : sequence of (L, M), mappings of (i, k) to array
        Such that the sum of the products L M' is symmetric.
    sizes : sequence of int
        Rows in every block.

    Raises
    ------
    RefusedCertificateError
        If the linear algebra library has multiplied wrongly.
    """
    factors = [factor for pair in pairs for factor in pair]
    if not all(_fits(factor, sizes) for factor in factors):
        return None
    # By Cauchy and Schwarz, no sum of products is larger.
    reach = sum(longest(L, sizes) * longest(M, sizes) for L, M in pairs)
    largest = np.max([np.abs(block).max(initial=0.0) for block in B.values()])
    # Written so that NaN is refused.
    if not np.maximum(reach, largest) < LARGEST:
        return None
    rest = less_products(B, pairs)
    if not _fits(rest, sizes):
        refuse_library()
    for block in rest.values():
        check_integers(block)
    vectors = [odd_integers(size) for size in sizes]
    missing = _applied(_whole(rest), vectors)
    for L, M in pairs:
        inner = _applied((((k, j), block.T) for (j, k), block in M.items()), vectors)
        for i, part in enumerate(_applied(L.items(), inner)):
            missing[i] += part
    given = _applied(_whole(B), vectors)
    if any((a != b).any() for a, b in zip(given, missing, strict=True)):
        refuse_library()
    return rest


def longest(L: Blocks, sizes: Sequence[int]) -> float:
    """Return, with room for rounding, the largest l_2 norm of a row."""
    squares = [np.zeros(size) for size in sizes]
    for (i, _), block in L.items():
        squares[i] += block**2 if block.ndim == 1 else row_squares(block)
    return rounded_up_root(np.concatenate(squares).max(initial=0.0))


def _fits(L: Blocks, sizes: Sequence[int]) -> bool:
    """Return whether blocks have the shapes of their places."""
    return all(
        block.shape == (sizes[i], sizes[k]) or (block.shape == (sizes[i],) and i == k)
        for (i, k), block in L.items()
    )


def _whole(lower: Blocks) -> Iterable[tuple[tuple[int, int], Array]]:
    """Yield all blocks of a symmetric matrix."""
    for (i, j), block in lower.items():
        yield (i, j), block
        if i != j:
            yield (j, i), block.T


def _applied(
    blocks: Iterable[tuple[tuple[int, int], Array]], vectors: Sequence[Vectors]
) -> list[Vectors]:
    """Return a matrix times vectors (r, n_j), modulo 2^64, by blocks."""
    result = [np.zeros_like(vector) for vector in vectors]
    for (i, j), block in blocks:
        result[i] += applied(block, vectors[j])
    return result
