"""Symmetric matrices in blocks, and their Cholesky factors by block elimination.

The matrix B(tau, D) of a network has a block for each pair of activation layers that
share an edge: block tridiagonal for a chain, sparse for any graph. Eliminating block
after block keeps that structure; the input's block is usually diagonal and stays a
vector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from geolip.arrays import Array
from geolip.products import product

Blocks = Mapping[tuple[int, int], Array]


@dataclass(frozen=True, eq=False)
class BlockMatrix:
    """A symmetric matrix, stored as its lower blocks.

    Parameters
    ----------
    sizes : tuple of int
        Rows in every block.
    blocks : mapping of (i, j) to array, i >= j
        Block (i, j) of shape (sizes[i], sizes[j]); a diagonal block may be the vector
        of its diagonal. Every diagonal block is present, other missing ones are zero.
    """

    sizes: tuple[int, ...]
    blocks: Blocks

    def apply(self, V: Sequence[Array]) -> list[Array]:
        """Return the product with ``V``, one array (sizes[i], r) a block."""
        result = [np.zeros((size, V[0].shape[1])) for size in self.sizes]
        for (i, j), block in self.blocks.items():
            if i == j:
                result[i] += block[:, None] * V[i] if block.ndim == 1 else block @ V[i]
            else:
                result[i] += block @ V[j]
                result[j] += block.T @ V[i]
        return result

    def scaled(self, scales: Sequence[Array]) -> "BlockMatrix":
        """Return S B S for the diagonal S given by blocks ``scales``."""
        blocks = {}
        for (i, j), block in self.blocks.items():
            if block.ndim == 1:
                blocks[i, j] = block * scales[i] ** 2
            else:
                blocks[i, j] = block * scales[i][:, None] * scales[j]
        return BlockMatrix(self.sizes, blocks)

    def shifted(self, shift: float) -> "BlockMatrix":
        """Return B - shift I."""
        shifts = {(i, i): np.full(n, -shift) for i, n in enumerate(self.sizes)}
        return BlockMatrix(self.sizes, added(self.blocks, shifts))

    def split(self, unit: float) -> tuple["BlockMatrix", "BlockMatrix"]:
        """Return the nearest matrix of multiples of a power of two, and the rest."""
        blocks = {place: np.rint(b / unit) * unit for place, b in self.blocks.items()}
        rest = {place: b - blocks[place] for place, b in self.blocks.items()}
        return BlockMatrix(self.sizes, blocks), BlockMatrix(self.sizes, rest)

    def absolute(self) -> "BlockMatrix":
        """Return the matrix of absolute values."""
        blocks = {place: np.abs(block) for place, block in self.blocks.items()}
        return BlockMatrix(self.sizes, blocks)

    def factor(self) -> "BlockFactor":
        """Return the Cholesky factor.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a pivot is not positive: the matrix is not positive definite, or too
            close to the boundary to tell in float64.
        """
        work = dict(self.blocks)
        factors: dict[tuple[int, int], Array] = {}
        order = elimination_order(self)
        left = set(order)
        for k in order:
            left.remove(k)
            neighbours = sorted(i for i in left if (max(i, k), min(i, k)) in work)
            pivot = _cholesky(work.pop((k, k)))
            factors[k, k] = pivot
            for i in neighbours:
                block = work.pop((i, k)) if i > k else work.pop((k, i)).T
                factors[i, k] = _right_divide(block, pivot)
            for i in neighbours:
                for j in neighbours:
                    if j <= i:
                        update = _product(factors[i, k], factors[j, k])
                        work[i, j] = _combined(np.subtract, work.get((i, j)), update)
        return BlockFactor(self.sizes, tuple(order), factors)


@dataclass(frozen=True, eq=False)
class BlockFactor:
    """A Cholesky factor in blocks: ``factors[i, k]`` belongs to pivot k."""

    sizes: tuple[int, ...]
    order: tuple[int, ...]
    factors: Blocks

    def solve(self, V: Sequence[Array]) -> list[Array]:
        """Return B^-1 V, one array (sizes[i], r) a block."""
        result = list(V)
        later = self._later
        # With many columns, one small inverse turns triangular solves into products.
        many = V[0].shape[1] > max(self.sizes)
        pivots = self._inverses if many else None
        for k in self.order:
            if pivots is None:
                result[k] = _solve(self.factors[k, k], result[k], transposed=False)
            else:
                result[k] = _apply(pivots[k], result[k])
            for i in later[k]:
                result[i] = result[i] - self.factors[i, k] @ result[k]
        for k in reversed(self.order):
            for i in later[k]:
                result[k] = result[k] - self.factors[i, k].T @ result[i]
            if pivots is None:
                result[k] = _solve(self.factors[k, k], result[k], transposed=True)
            else:
                result[k] = _apply(pivots[k].T, result[k])
        return result

    @cached_property
    def _later(self) -> dict[int, list[int]]:
        """For every pivot the blocks below it in the factor."""
        later: dict[int, list[int]] = {k: [] for k in self.order}
        for i, k in self.factors:
            if i != k:
                later[k].append(i)
        return later

    @cached_property
    def _inverses(self) -> dict[int, Array]:
        """The inverses of the pivots."""
        return {
            k: 1.0 / pivot
            if (pivot := self.factors[k, k]).ndim == 1
            else _solve(pivot, np.eye(len(pivot)), transposed=False)
            for k in self.order
        }

    def taken_from(self, matrix: BlockMatrix) -> BlockMatrix:
        """Return A - L L'."""
        rest = less_products(matrix.blocks, [(self.factors, self.factors)])
        return BlockMatrix(self.sizes, rest)

    def absolute_product(self, V: Sequence[Array]) -> list[Array]:
        """Return |L| |L'| V, which bounds the rounding of the factorisation."""
        inner = [np.zeros_like(v) for v in V]
        result = [np.zeros_like(v) for v in V]
        for (i, k), block in self.factors.items():
            part = np.abs(block)
            inner[k] += part[:, None] * V[i] if part.ndim == 1 else part.T @ V[i]
        for (i, k), block in self.factors.items():
            part = np.abs(block)
            result[i] += part[:, None] * inner[k] if part.ndim == 1 else part @ inner[k]
        return result


def added(blocks: Blocks, others: Blocks) -> dict[tuple[int, int], Array]:
    """Return the sum of two matrices."""
    result = dict(blocks)
    for place, other in others.items():
        result[place] = _combined(np.add, result.get(place), other)
    return result


def less_products(
    blocks: Blocks, pairs: Sequence[tuple[Blocks, Blocks]]
) -> dict[tuple[int, int], Array]:
    """Return the lower blocks of ``A - sum L M'``, where that is symmetric.

    Parameters
    ----------
    blocks : mapping of (i, j) to array, i >= j
        Lower blocks of A.
    pairs : sequence of (L, M), mappings of (i, k) to array
        The factors' blocks.
    """
    rest = dict(blocks)
    for left, right in pairs:
        for i, k in left:
            for j in range(i + 1):
                if (j, k) in right:
                    part = _product(left[i, k], right[j, k])
                    rest[i, j] = _combined(np.subtract, rest.get((i, j)), part)
    return rest


def elimination_order(matrix: BlockMatrix) -> list[int]:
    """Return an order of elimination that greedily keeps the arithmetic small."""
    sizes = matrix.sizes
    edges: dict[int, set[int]] = {i: set() for i in range(len(sizes))}
    for i, j in matrix.blocks:
        if i != j:
            edges[i].add(j)
            edges[j].add(i)
    diagonal = {i for i in edges if matrix.blocks[i, i].ndim == 1}
    order: list[int] = []

    def work(k: int) -> tuple[float, int]:
        around = sum(sizes[i] for i in edges[k])
        own = 0.0 if k in diagonal else sizes[k] ** 3 / 3 + sizes[k] ** 2 * around
        return own + sizes[k] * around**2, k

    while edges:
        k = min(edges, key=work)
        order.append(k)
        # The neighbours of an eliminated block become neighbours of each other.
        around = edges.pop(k)
        for i in around:
            edges[i] = (edges[i] | around) - {i, k}
        diagonal -= around
    return order


def _cholesky(block: Array) -> Array:
    if block.ndim == 1:
        if not (block > 0).all():
            raise np.linalg.LinAlgError("a diagonal entry is not positive")
        return np.sqrt(block)
    if not np.isfinite(block).all():
        raise np.linalg.LinAlgError("an entry is not finite")
    # The transpose is in the order that LAPACK wants: no copy to turn it round.
    return np.asarray(linalg.cholesky(block.T, check_finite=False)).T


def _right_divide(block: Array, pivot: Array) -> Array:
    if pivot.ndim == 1:
        return block / pivot
    quotient = linalg.solve_triangular(pivot, block.T, lower=True, check_finite=False)
    return np.asarray(quotient).T


def _solve(pivot: Array, V: Array, *, transposed: bool) -> Array:
    if pivot.ndim == 1:
        return V / pivot[:, None]
    trans = "T" if transposed else "N"
    return np.asarray(
        linalg.solve_triangular(pivot, V, lower=True, trans=trans, check_finite=False)
    )


def _product(left: Array, right: Array) -> Array:
    """Return ``left right'`` for blocks that may be diagonals."""
    if left.ndim == 1:
        return left * right if right.ndim == 1 else left[:, None] * right.T
    return left * right if right.ndim == 1 else product(left, right)


def _apply(inverse: Array, V: Array) -> Array:
    return inverse[:, None] * V if inverse.ndim == 1 else inverse @ V


def _combined(operation: np.ufunc, block: Array | None, other: Array) -> Array:
    """Return the sum or difference; of a diagonal and a matrix, a matrix."""
    if block is None:
        return np.asarray(operation(0.0, other))
    if block.ndim != other.ndim:
        block, other = (np.diag(x) if x.ndim == 1 else x for x in (block, other))
    return np.asarray(operation(block, other))
