"""B - L M' - M L' in integers by blocks, against Python's own integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip.blocks import Blocks
from geolip.errors import RefusedCertificateError
from geolip.exact import gram
from geolip.exact.gram import IntegerBlocks, exactly_less_products

seeds = st.integers(0, 2**32 - 1)
SIZES = (3, 1, 4)
PLACES = [(0, 0), (1, 0), (2, 0), (1, 1), (2, 2)]


def factor(random: np.random.Generator, size: float) -> dict:
    """Return integer blocks, the first pivot as a diagonal."""
    blocks = {
        (i, k): np.rint(random.uniform(-size, size, (SIZES[i], SIZES[k])))
        for i, k in PLACES
    }
    return {**blocks, (0, 0): np.diagonal(blocks[0, 0]).copy()}


def symmetric(random: np.random.Generator, size: float) -> dict:
    """Return lower integer blocks, one missing, one a diagonal."""
    blocks = {
        (i, j): np.rint(random.uniform(-size, size, (SIZES[i], SIZES[j])))
        for i, j in [(1, 0), (1, 1), (2, 0), (2, 2)]
    }
    square = blocks[2, 2]
    first = np.rint(random.uniform(-size, size, SIZES[0]))
    return {**blocks, (2, 2): np.tril(square) + np.tril(square, -1).T, (0, 0): first}


def whole(blocks: dict, is_symmetric: bool = False) -> np.ndarray:
    """Return the matrix in Python integers."""
    cuts = np.cumsum([0, *SIZES])
    matrix = np.zeros((cuts[-1], cuts[-1]), dtype=object)
    for (i, j), block in blocks.items():
        block = np.diag(block) if block.ndim == 1 else block
        numbers = np.frompyfunc(int, 1, 1)(block)
        matrix[cuts[i] : cuts[i + 1], cuts[j] : cuts[j + 1]] = numbers
        if is_symmetric and i != j:
            matrix[cuts[j] : cuts[j + 1], cuts[i] : cuts[i + 1]] = numbers.T
    return matrix


def less(B: dict, pairs: list, sizes: tuple[int, ...]) -> Blocks | None:
    """Return B less the products of pairs; a factor that is in two is one object."""
    factors = {id(L): IntegerBlocks(sizes, L) for pair in pairs for L in pair}
    products = [(factors[id(L)], factors[id(M)]) for L, M in pairs]
    return exactly_less_products(B, products, sizes)


@given(seeds)
@settings(deadline=None)
def test_it_is_exact(seed):
    random = np.random.default_rng(seed)
    B = symmetric(random, 2.0**51)
    L, M = factor(random, 2.0**24), factor(random, 2.0**24)
    dense = whole(B, True), whole(L), whole(M)
    squared = less(B, [(L, L)], SIZES)
    assert (whole(squared, True) == dense[0] - dense[1] @ dense[1].T).all()
    pairs = [(L, M), (M, L)]
    mixed = less(B, pairs, SIZES)
    both = dense[1] @ dense[2].T + dense[2] @ dense[1].T
    assert (whole(mixed, True) == dense[0] - both).all()


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("place", [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)])
@pytest.mark.parametrize("error", [1.0, -1.0, 2.0**40, 0.5, 2.0**53, np.nan])
def test_a_wrong_entry_is_noticed(place, error, same, monkeypatch):
    random = np.random.default_rng(0)
    B, L = symmetric(random, 2.0**40), factor(random, 2.0**20)
    M = factor(random, 2.0**20)
    pairs = [(L, L)] if same else [(L, M), (M, L)]
    less(B, pairs, SIZES)
    real = gram.less_products

    def faulty(*blocks):
        rest = real(*blocks)
        rest[place].flat[-1] += error
        return rest

    monkeypatch.setattr(gram, "less_products", faulty)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(RefusedCertificateError, match="multiplies wrongly"),
    ):
        less(B, pairs, SIZES)


@pytest.mark.parametrize("exponent", [53, 52, 50])
def test_errors_of_a_power_of_two_are_noticed(exponent, monkeypatch):
    """Two in a row, where one vector of random numbers misses one in a thousand."""
    sizes, error = (2,), 2.0**exponent
    B, L = {(0, 0): np.full((2, 2), -1.0)}, {(0, 0): np.zeros((2, 2))}
    monkeypatch.setattr(gram, "less_products", lambda *_: {(0, 0): B[0, 0] + error})
    for _ in range(3000):
        with pytest.raises(RefusedCertificateError, match="multiplies wrongly"):
            less(B, [(L, L)], sizes)


@pytest.mark.parametrize("bad", [2.0**53, 2.0**60, np.nan, np.inf])
def test_numbers_too_large_are_no_rest(bad):
    random = np.random.default_rng(1)
    B, L = symmetric(random, 2.0**40), factor(random, 2.0**20)
    for blocks in (B, L):
        spoiled = {place: block.copy() for place, block in blocks.items()}
        spoiled[2, 2][0, 0] = bad
        given = (spoiled, [(L, L)]) if blocks is B else (B, [(spoiled, spoiled)])
        with np.errstate(all="ignore"):
            assert less(*given, SIZES) is None


def test_rows_are_measured_across_blocks():
    """Every block alone would fit."""
    large = 2.0**26
    sizes = (1, 1)
    B = {(0, 0): np.zeros(1), (1, 1): np.zeros(1)}
    L = {(0, 0): np.full(1, large), (1, 1): np.full(1, large)}
    assert less(B, [(L, L)], sizes) is not None
    L[1, 0] = np.full((1, 1), large)
    assert less(B, [(L, L)], sizes) is None
    # And across products.
    L.pop((1, 0))
    assert less(B, [(L, L), (L, L)], sizes) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (4,), (4, 3), (0, 0)])
def test_blocks_of_other_shapes_are_no_factor(shape):
    """A row for many would count as all of them, and its products only once."""
    random = np.random.default_rng(2)
    B, L = symmetric(random, 2.0**40), factor(random, 2.0**20)
    for place in PLACES:
        wrong = {**L, place: np.ones(shape)}
        right = {L[place].shape, (SIZES[place[0]], SIZES[place[1]])}
        if shape not in right and not (shape == (4,) and place == (2, 2)):
            assert less(B, [(wrong, wrong)], SIZES) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1)])
def test_products_of_another_shape_are_noticed(shape, monkeypatch):
    """Also where the entry, or the row, is what all of them are."""
    B, L = {(0, 0): np.full((2, 2), 3.0)}, {(0, 0): np.zeros((2, 2))}
    assert less(B, [(L, L)], (2,)) is not None
    monkeypatch.setattr(gram, "less_products", lambda *_: {(0, 0): np.full(shape, 3.0)})
    with pytest.raises(RefusedCertificateError, match="multiplies wrongly"):
        less(B, [(L, L)], (2,))
