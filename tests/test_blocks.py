"""Block matrices and their Cholesky factors against dense NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip.arrays import Array
from geolip.blocks import BlockFactor, BlockMatrix, elimination_order


def dense(matrix: BlockMatrix) -> Array:
    """Return a block matrix as one array."""
    offsets = np.cumsum([0, *matrix.sizes])
    full = np.zeros((offsets[-1],) * 2)
    for (i, j), block in matrix.blocks.items():
        rows = slice(offsets[i], offsets[i + 1])
        columns = slice(offsets[j], offsets[j + 1])
        full[rows, columns] = np.diag(block) if block.ndim == 1 else block
        full[columns, rows] = full[rows, columns].T
    return full


def dense_factor(factor: BlockFactor) -> Array:
    """Return the factor L as one array, rows and columns in the matrix's order."""
    offsets = np.cumsum([0, *factor.sizes])
    full = np.zeros((offsets[-1],) * 2)
    for (i, k), block in factor.factors.items():
        part = np.diag(block) if block.ndim == 1 else block
        full[offsets[i] : offsets[i + 1], offsets[k] : offsets[k + 1]] = part
    return full


def split(values: Array, sizes: Sequence[int]) -> list[Array]:
    return np.split(values, np.cumsum(sizes)[:-1])


@dataclass(frozen=True)
class Case:
    """A positive definite block matrix and columns to multiply with."""

    matrix: BlockMatrix
    columns: Array

    @property
    def parts(self) -> list[Array]:
        return split(self.columns, self.matrix.sizes)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = draw(st.tuples(*[st.booleans()] * len(sizes)))
    blocks = {}
    for i, size in enumerate(sizes):
        for j in range(i):
            if draw(st.booleans()):
                blocks[i, j] = random.standard_normal((size, sizes[j]))
        if kinds[i]:
            blocks[i, i] = np.zeros(size)
        else:
            square = random.standard_normal((size, size))
            blocks[i, i] = square + square.T
    sums = np.abs(dense(BlockMatrix(tuple(sizes), blocks))).sum(axis=1)
    # Diagonally dominant, by more or less.
    for i, part in enumerate(split(sums, sizes)):
        more = part + random.uniform(0.01, 2.0, len(part))
        blocks[i, i] = blocks[i, i] + (more if kinds[i] else np.diag(more))
    columns = random.standard_normal((sum(sizes), draw(st.integers(1, 3))))
    return Case(BlockMatrix(tuple(sizes), blocks), columns)


def close(found: Sequence[Array], expected: Array, sizes: Sequence[int]) -> None:
    assert [part.shape for part in found] == [
        (size, expected.shape[1]) for size in sizes
    ]
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-9, atol=1e-11)


anything = settings(deadline=None, max_examples=60)


@anything
@given(cases())
def test_apply(case: Case) -> None:
    found = case.matrix.apply(case.parts)
    close(found, dense(case.matrix) @ case.columns, case.matrix.sizes)


@anything
@given(cases(), st.integers(0, 2**32 - 1))
def test_scaled(case: Case, seed: int) -> None:
    sizes = case.matrix.sizes
    scales = 2.0 ** np.random.default_rng(seed).integers(-3, 4, sum(sizes))
    scaled = case.matrix.scaled(split(scales, sizes))
    assert scaled.sizes == sizes
    expected = scales[:, None] * dense(case.matrix) * scales
    np.testing.assert_array_equal(dense(scaled), expected)


@anything
@given(cases(), st.sampled_from([-1.0, 0.0, 0.125]))
def test_shifted(case: Case, shift: float) -> None:
    full = dense(case.matrix)
    expected = full - shift * np.eye(len(full))
    np.testing.assert_array_equal(dense(case.matrix.shifted(shift)), expected)


@anything
@given(cases())
def test_factor_reproduces_the_matrix(case: Case) -> None:
    factor = case.matrix.factor()
    L = dense_factor(factor)
    np.testing.assert_allclose(L @ L.T, dense(case.matrix), rtol=1e-12, atol=1e-12)
    # In the order of elimination it is lower triangular.
    indices = split(np.arange(len(L)), case.matrix.sizes)
    order = np.concatenate([indices[i] for i in factor.order])
    assert (np.triu(L[np.ix_(order, order)], 1) == 0).all()
    assert (np.diagonal(L) > 0).all()


@anything
@given(cases())
def test_solve(case: Case) -> None:
    found = case.matrix.factor().solve(case.parts)
    expected = np.linalg.solve(dense(case.matrix), case.columns)
    close(found, expected, case.matrix.sizes)


@anything
@given(cases())
def test_absolute_product(case: Case) -> None:
    factor = case.matrix.factor()
    L = np.abs(dense_factor(factor))
    found = factor.absolute_product(case.parts)
    close(found, L @ (L.T @ case.columns), case.matrix.sizes)


@anything
@given(cases())
def test_methods_leave_their_arguments_alone(case: Case) -> None:
    before, columns = dense(case.matrix).copy(), case.columns.copy()
    factor = case.matrix.factor()
    factor.solve(case.parts)
    factor.absolute_product(case.parts)
    case.matrix.apply(case.parts)
    case.matrix.shifted(1.0)
    assert (dense(case.matrix) == before).all()
    assert (case.columns == columns).all()


@anything
@given(cases())
def test_elimination_order_is_a_permutation(case: Case) -> None:
    order = elimination_order(case.matrix)
    assert sorted(order) == list(range(len(case.matrix.sizes)))


def test_elimination_starts_with_a_large_diagonal_block() -> None:
    # Eliminating the small dense block first would make the large one dense.
    blocks = {
        (0, 0): np.full(100, 2.0),
        (1, 0): np.ones((3, 100)) / 100,
        (1, 1): np.eye(3),
    }
    matrix = BlockMatrix((100, 3), blocks)
    assert elimination_order(matrix) == [0, 1]
    assert matrix.factor().factors[0, 0].ndim == 1


def chain(count: int, size: int) -> BlockMatrix:
    blocks = {(i, i): 3.0 * np.eye(size) for i in range(count)}
    blocks |= {(i, i - 1): np.eye(size) for i in range(1, count)}
    return BlockMatrix((size,) * count, blocks)


def test_a_chain_stays_a_chain() -> None:
    factor = chain(12, 2).factor()
    assert len(factor.factors) == 2 * 12 - 1


# What is not positive definite -----------------------------------------------------


@anything
@given(cases(), st.integers(0, 2**32 - 1))
def test_indefinite(case: Case, seed: int) -> None:
    full = dense(case.matrix)
    if len(full):
        least = float(np.linalg.eigvalsh(full)[0])
        gap = 1e-6 * (1 + abs(least))
        case.matrix.shifted(least - gap).factor()
        with pytest.raises(np.linalg.LinAlgError):
            case.matrix.shifted(least + gap).factor()


@pytest.mark.parametrize("entry", [0.0, -0.0, -1.0])
@pytest.mark.parametrize("as_vector", [True, False])
def test_pivots_that_are_not_positive(entry: float, as_vector: bool) -> None:
    block = np.array([1.0, entry])
    blocks = {(0, 0): np.eye(2), (1, 1): block if as_vector else np.diag(block)}
    with pytest.raises(np.linalg.LinAlgError):
        BlockMatrix((2, 2), blocks).factor()


@pytest.mark.parametrize("place", [(0, 0), (1, 0), (1, 1), (2, 2)])
def test_nan(place: tuple[int, int]) -> None:
    blocks = {
        (0, 0): np.full(2, 2.0),
        (1, 0): np.full((2, 2), 0.1),
        (1, 1): 2.0 * np.eye(2),
        (2, 2): np.full(2, 2.0),
    }
    blocks[place][-1] = np.nan
    with pytest.raises(np.linalg.LinAlgError):
        BlockMatrix((2, 2, 2), blocks).factor()


def test_a_matrix_of_nothing() -> None:
    matrix = BlockMatrix((0, 0), {(0, 0): np.ones(0), (1, 1): np.ones((0, 0))})
    nothing = [np.zeros((0, 2))] * 2
    factor = matrix.factor()
    for parts in (
        matrix.apply(nothing),
        factor.solve(nothing),
        factor.absolute_product(nothing),
    ):
        assert [part.shape for part in parts] == [(0, 2), (0, 2)]
