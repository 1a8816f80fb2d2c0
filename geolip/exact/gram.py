"""``B - L L'`` in integers: products by a library, checked all at once.

Matrices are given by blocks, whose entries are integers in float64; a diagonal block
may be the vector of its diagonal. Sums and products are exact, in whatever order a
library forms them, as long as none reaches 2^53. Neither that nor the library is
believed: both sides are multiplied with random vectors, as of `geolip.exact.products`.

Source: docs/certificates.md section 3.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geolip.arrays import Array
from geolip.blocks import Blocks, less_products
from geolip.exact.products import (
    LARGEST,
    Words,
    applied,
    check_integers,
    odd_integers,
    refuse_library,
    rounded_up_root,
    row_squares,
)


@dataclass(frozen=True, eq=False)
class IntegerBlocks:
    """A factor with integer entries, and what is asked of it again and again.

    Parameters
    ----------
    sizes : sequence of int
        Rows in every block.
    blocks : mapping of (i, k) to array
        Integers in float64.
    """

    sizes: Sequence[int]
    blocks: Blocks

    @cached_property
    def longest(self) -> float:
        """The largest l_2 norm of a row, with room for rounding."""
        squares = [np.zeros(size) for size in self.sizes]
        for (i, _), block in self.blocks.items():
            squares[i] += block**2 if block.ndim == 1 else row_squares(block)
        return rounded_up_root(np.concatenate(squares).max(initial=0.0))

    @cached_property
    def words(self) -> Mapping[tuple[int, int], Words]:
        """The blocks modulo 2^64."""
        return {place: block.astype(np.int64) for place, block in self.blocks.items()}


def exactly_less_products(
    B: Blocks,
    pairs: Sequence[tuple[IntegerBlocks, IntegerBlocks]],
    sizes: Sequence[int],
) -> Blocks | None:
    """Return the lower blocks of ``B - sum L M'``, None if numbers are too large.

    Parameters
    ----------
    B : mapping of (i, j) to array, i >= j
        Lower blocks of a symmetric matrix.
    pairs : sequence of (L, M)
        Such that the sum of the products L M' is symmetric.
    sizes : sequence of int
        Rows in every block.

    Raises
    ------
    RefusedCertificateError
        If the linear algebra library has multiplied wrongly.
    """
    if not all(_fits(factor.blocks, sizes) for pair in pairs for factor in pair):
        return None
    # By Cauchy and Schwarz, no sum of products is larger.
    reach = sum(L.longest * M.longest for L, M in pairs)
    largest = np.max([np.abs(block).max(initial=0.0) for block in B.values()])
    # Written so that NaN is refused.
    if not np.maximum(reach, largest) < LARGEST:
        return None
    rest = less_products(B, [(L.blocks, M.blocks) for L, M in pairs])
    if not _fits(rest, sizes):
        refuse_library()
    for block in rest.values():
        check_integers(block)
    vectors = [odd_integers(size) for size in sizes]
    missing = _applied(_whole(rest), vectors)
    for L, M in pairs:
        inner = _applied((((k, j), b.T) for (j, k), b in M.words.items()), vectors)
        for i, part in enumerate(_applied(L.words.items(), inner)):
            missing[i] += part
    given = _applied(_whole(B), vectors)
    if any((a != b).any() for a, b in zip(given, missing, strict=True)):
        refuse_library()
    return rest


def _fits(blocks: Blocks, sizes: Sequence[int]) -> bool:
    """Return whether blocks have the shapes of their places."""
    return all(
        block.shape == (sizes[i], sizes[k]) or (block.shape == (sizes[i],) and i == k)
        for (i, k), block in blocks.items()
    )


def _whole(lower: Blocks) -> Iterable[tuple[tuple[int, int], Array]]:
    """Yield all blocks of a symmetric matrix."""
    for (i, j), block in lower.items():
        yield (i, j), block
        if i != j:
            yield (j, i), block.T


def _applied(
    blocks: Iterable[tuple[tuple[int, int], Array | Words]], vectors: Sequence[Words]
) -> list[Words]:
    """Return a matrix times vectors (r, n_j), modulo 2^64, by blocks."""
    result = [np.zeros_like(vector) for vector in vectors]
    for (i, j), block in blocks:
        result[i] += applied(block, vectors[j])
    return result
