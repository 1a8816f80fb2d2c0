"""Blocks in tiles, and sparse products, against whole and dense ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_blocks import Case, anything, cases, dense, dense_factor

from geolip.blocks import BlockMatrix
from geolip.products import product
from geolip.tiles import tiled, tiled_factor, tiles


@anything
@given(cases(), st.integers(1, 4))
def test_tiles_are_the_matrix_and_its_factor(case: Case, rows: int) -> None:
    matrix, factor = case.matrix, case.matrix.factor()
    cut = tiles(matrix.sizes, rows)
    assert max(part.size for part in cut) <= rows
    found, whole = tiled_factor(factor, cut), dense(matrix)
    np.testing.assert_array_equal(dense(tiled(matrix, cut)), whole)
    np.testing.assert_array_equal(dense_factor(found), dense_factor(factor))
    rest = found.taken_from(tiled(matrix, cut))
    np.testing.assert_allclose(
        dense(rest), 0.0, atol=1e-12 * np.abs(whole).max(initial=0.0)
    )


@anything
@given(cases(), st.integers(1, 4))
def test_what_a_wrong_factor_misses_is_found_in_every_tile(
    case: Case, rows: int
) -> None:
    matrix, factor = case.matrix, case.matrix.shifted(-1.0).factor()
    cut = tiles(matrix.sizes, rows)
    missed = tiled_factor(factor, cut).taken_from(tiled(matrix, cut))
    identity = np.eye(len(dense(matrix)))
    np.testing.assert_allclose(dense(missed), -identity, atol=1e-9)


def test_tiles_of_tiny_entries_are_there() -> None:
    block = np.zeros((4, 4))
    block[3, 0] = block[0, 3] = 1e-300
    found = tiled(BlockMatrix((4,), {(0, 0): block}), tiles([4], 2))
    assert found.blocks[1, 0][1, 0] == 1e-300


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
@pytest.mark.parametrize("other", [0.001, 0.5])
def test_products_of_arrays_that_are_mostly_zero(share: float, other: float) -> None:
    """Of integers, whose sums are exact in any order."""
    random = np.random.default_rng(0)

    def some(rows: int, density: float) -> np.ndarray:
        numbers = random.integers(-(2**20), 2**20, (rows, 300)).astype(float)
        return np.where(random.random(numbers.shape) < density, numbers, 0.0)

    left, right = some(400, share), some(250, other)
    found = product(left, right)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, left @ right.T)
