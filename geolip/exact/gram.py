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

from geolip.blocks import Blocks, less_products
from geolip.exact.products import (
    LARGEST,
    Integers,
    applied,
    check_integers,
    odd_integers,
    refuse_library,
    rounded_up_root,
    row_squares,
)

Whole = Mapping[tuple[int, int], Integers]


@dataclass(frozen=True, eq=False)
class IntegerBlocks:
    """A matrix of integers.

    Parameters
    ----------
    sizes : sequence of int
        Rows in every block.
    blocks : mapping of (i, k) to array
        Block (i, k) of shape (sizes[i], sizes[k]).
    """

    sizes: Sequence[int]
    blocks: Blocks

    @property
    def fits(self) -> bool:
        """Whether blocks have the shapes of their places."""
        return all(
            block.shape == (self.sizes[i], self.sizes[k])
            or (block.shape == (self.sizes[i],) and i == k)
            for (i, k), block in self.blocks.items()
        )

    @cached_property
    def longest(self) -> float:
        """The largest l_2 norm of a row, with room for rounding."""
        squares = [np.zeros(size) for size in self.sizes]
        for (i, _), block in self.blocks.items():
            squares[i] += block**2 if block.ndim == 1 else row_squares(block)
        return rounded_up_root(np.concatenate(squares).max(initial=0.0))

    @cached_property
    def integers(self) -> Whole:
        """The blocks in int64."""
        return {place: block.astype(np.int64) for place, block in self.blocks.items()}


def exactly_less_products(
    B: IntegerBlocks, pairs: Sequence[tuple[IntegerBlocks, IntegerBlocks]]
) -> Blocks | None:
    """Return the lower blocks of ``B - sum L M'``, None if numbers are too large.

    Parameters
    ----------
    B : IntegerBlocks
        Lower blocks of a symmetric matrix.
    pairs : sequence of (L, M)
        Such that the sum of the products L M' is symmetric.

    Raises
    ------
    RefusedCertificateError
        If the linear algebra library has multiplied wrongly.
    """
    if not all(factor.fits for pair in pairs for factor in pair):
        return None
    # By Cauchy and Schwarz, no sum of products is larger.
    reach = sum(L.longest * M.longest for L, M in pairs)
    largest = np.max([np.abs(block).max(initial=0.0) for block in B.blocks.values()])
    # Written so that NaN is refused.
    if not np.maximum(reach, largest) < LARGEST:
        return None
    blocks = less_products(B.blocks, [(L.blocks, M.blocks) for L, M in pairs])
    rest = IntegerBlocks(B.sizes, blocks)
    if not rest.fits:
        refuse_library()
    for block in rest.blocks.values():
        check_integers(block)
    vectors = [odd_integers(size) for size in B.sizes]
    missing = _applied(_whole(rest.integers), vectors)
    for L, M in pairs:
        inner = _applied((((k, j), b.T) for (j, k), b in M.integers.items()), vectors)
        for i, part in enumerate(_applied(L.integers.items(), inner)):
            missing[i] += part
    given = _applied(_whole(B.integers), vectors)
    if any((a != b).any() for a, b in zip(given, missing, strict=True)):
        refuse_library()
    return rest.blocks


def _whole(lower: Whole) -> Iterable[tuple[tuple[int, int], Integers]]:
    """Yield all blocks of a symmetric matrix."""
    for (i, j), block in lower.items():
        yield (i, j), block
        if i != j:
            yield (j, i), block.T


def _applied(
    blocks: Iterable[tuple[tuple[int, int], Integers]], vectors: Sequence[Integers]
) -> list[Integers]:
    """Return a matrix times vectors (r, n_j), modulo 2^64, by blocks."""
    result = [np.zeros_like(vector) for vector in vectors]
    for (i, j), block in blocks:
        result[i] += applied(block, vectors[j])
    return result
