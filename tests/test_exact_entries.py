"""Exact entries of operators and products of their norms, against fractions."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from exact_operators import exact, operator_matrix
from generators import random_graph
from hypothesis import given
from hypothesis import strategies as st
from oracles import PAIRS
from scipy import sparse

from geolip import norms
from geolip.bounds.norm_product import norm_product
from geolip.errors import RefusedCertificateError
from geolip.exact.entries import Entries, carried, entries, raised
from geolip.exact.layers import product_square, root
from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    Sparse,
    add,
    compose,
    scaling,
    selection,
)
from geolip.sectors import LinearMap, SectorNetwork


def operators(random: np.random.Generator) -> list:
    """Return one of each kind between 8 coordinates, numbers of all sizes."""

    def numbers(*shape: int) -> np.ndarray:
        return random.standard_normal(shape) * 2.0 ** random.integers(-40, 40, shape)

    dense, other = Dense(numbers(8, 8)), Dense(numbers(8, 8))
    convolution = Convolution(numbers(2, 2, 3), (4,), (1,), (1,), ((1, 1),))
    single = Convolution(numbers(2, 1, 1), (4,), (1,), (1,), ((0, 0),), groups=2)
    rows = selection([3, 1, -1, 0, 7, 7, 2, 5], 8)
    columns = selection([2, 0, 1, 6, 5, 4, 3, 7], 8)
    averages = np.where(random.random((8, 8)) < 0.4, numbers(8, 8), 0.0)
    pool = Sparse(sparse.csr_array(averages))
    pairs = np.zeros((8, 8))
    pairs[np.arange(1, 8), random.permutation(8)[1:]] = numbers(7)
    pairs[np.arange(6), random.permutation(8)[:6]] += numbers(6)
    thin = Sparse(sparse.csr_array(pairs))
    return [
        dense,
        convolution,
        pool,
        add(dense, convolution),
        compose(dense, other),
        compose(scaling(numbers(8)), convolution),
        compose(convolution, scaling(numbers(8))),
        compose(rows, convolution),
        compose(convolution, columns),
        compose(pool, compose(convolution, other)),
        Composition((rows, convolution, columns)),
        add(compose(dense, pool), compose(scaling(numbers(8)), other)),
        compose(thin, convolution),
        compose(other, thin),
        Composition((thin, thin)),
        compose(add(dense, convolution), other),
        compose(other, add(dense, convolution)),
        compose(single, convolution),
        compose(convolution, single),
        Composition((dense, other, selection([1, 4], 8).transpose())),
    ]


@pytest.mark.parametrize("kind", range(20))
@pytest.mark.parametrize("seed", range(3))
def test_entries_of_operators_are_exact(kind, seed):
    operator = operators(np.random.default_rng(seed))[kind]
    found = entries(operator)
    truth = operator_matrix(operator)
    missed = abs(sum(exact(part) for part in found.parts) - truth)
    assert (missed <= exact(np.broadcast_to(found.error, truth.shape))).all()
    assert found.error.max() <= 1e-30 * float(abs(truth).max())
    assert (found.sizes() >= np.abs(operator.dense()) * (1 - 1e-12)).all()
    for part in found.parts:
        mantissa, _ = np.frexp(part)
        assert (mantissa * 2**26 % 1 == 0).all()


@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (3, 2), (3, 3)])
def test_what_is_diagonal_need_not_be_square(shape):
    """A pooling of which hardly anything is left."""
    random = np.random.default_rng(0)
    factors = np.zeros(shape)
    np.fill_diagonal(factors, [0.5, 0.25, 3.0][: min(shape)])
    inner = Dense(random.standard_normal((shape[1], 4)))
    operator = Composition((Sparse(sparse.csr_array(factors)), inner))
    found = sum(exact(part) for part in entries(operator).parts)
    assert found.shape == operator.shape
    assert (found == operator_matrix(operator)).all()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("multiplied", ["by rows", "in fixed point"])
def test_rounded_numbers_carry_their_rounding(multiplied, side):
    random = np.random.default_rng(0)
    top, bottom = random.integers(1, 99, (2, 9, 9))
    top = top * np.eye(9, dtype=int) if multiplied == "by rows" else top
    rounded = Sparse(sparse.csr_array(top / bottom), rounded=1)
    dense = Dense(random.integers(-9, 9, (9, 9)).astype(float))
    real = exact(top) / exact(bottom)
    if side == "left":
        found, truth = entries(compose(rounded, dense)), real @ exact(dense.matrix)
    else:
        found, truth = entries(compose(dense, rounded)), exact(dense.matrix) @ real
    missed = abs(sum(exact(part) for part in found.parts) - truth)
    assert missed.max() > 0
    assert (missed <= exact(found.error)).all()
    assert found.error.max() < 1e-12


@pytest.mark.parametrize("outer", ["rows", "columns"])
def test_errors_are_scaled_with_what_they_belong_to(outer):
    """A thousand times thirds are off by a thousand times as much."""
    thirds = Dense(np.array([[1.0, 2.0], [-1.0, 4.0]]) / 3, rounded=1)
    thousand = scaling(np.array([1000.0, -3000.0]))
    factors = (thousand, thirds) if outer == "rows" else (thirds, thousand)
    found = entries(Composition(factors))
    real = [exact([[1, 2], [-1, 4]]) / 3, np.diag(exact([1000, -3000]))]
    truth = real[1] @ real[0] if outer == "rows" else real[0] @ real[1]
    missed = abs(sum(exact(part) for part in found.parts) - truth)
    assert missed.max() > 2.0**-53
    assert (missed <= exact(found.error)).all()


def test_products_of_wide_matrices_are_exact():
    """Whose entries are thousands of times those of the factors."""
    width = 9000
    wide = compose(Dense(np.full((9, width), 0.875)), Dense(np.full((width, 9), 3.0)))
    found = sum(exact(part) for part in entries(wide).parts)
    assert (found == Fraction(7 * 3 * width, 8)).all()


@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("seed", range(10))
def test_norm_products_agree_with_float_arithmetic(seed, norm):
    random = np.random.default_rng(seed)
    pair = norms.parse(norm)
    network = random_graph(random, neurons=9, outputs=2)
    product = norm_product(network, pair)
    square = product_square(network, pair)
    assert product == pytest.approx(float(square) ** 0.5, rel=1e-10)


@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("shape", [(1, 5), (4, 3), (3, 6)])
def test_squares_of_norms_are_upper_bounds(norm, shape):
    """Of one matrix; without negative entries, all of them are attained."""
    random, pair = np.random.default_rng(0), norms.parse(norm)
    signed = random.integers(-9, 9, shape) * 0.25
    for A in (signed, abs(signed)):
        reading = LinearMap(shape[0], {0: Dense(A)})
        network = SectorNetwork(shape[1], (), reading)
        found = float(product_square(network, pair)) ** 0.5
        singular = np.linalg.svd(A)[2][:1].T
        corners = np.array([*itertools.product((-1, 1), repeat=shape[1])]).T
        X = np.hstack([np.eye(shape[1]), corners, A.T, singular, A.sum(0)[:, None]])
        X = X[:, X.any(axis=0)]
        reached = (pair.output.of(A @ X) / pair.input.of(X)).max()
        assert reached <= found * (1 + 1e-12)
    assert found == pytest.approx(reached, rel=1e-9)


@given(st.fractions(min_value=0))
def test_roots_are_upper_bounds(square):
    found = root(square)
    assert found**2 >= square
    assert found**2 <= square * (1 + Fraction(1, 2**50))


def test_errors_move_with_their_rows_and_columns():
    """A permutation of rounded rows, and a selection of some of them."""
    factors = np.array([1 / 3, 2.0**-300, 1 / 7, 0.1])
    rounded = Sparse(scaling(factors).matrix, rounded=1)
    inner = compose(rounded, Dense(np.eye(4) + 0.25))
    sizes = entries(inner).error
    for index in ([2, 0, 3, 1], [3, 1]):
        rows = Composition((selection(index, 4), *inner.factors))
        assert np.allclose(entries(rows).error, sizes[index], rtol=1e-3, atol=1e-290)
        columns = Composition((*inner.factors, selection(index, 4).transpose()))
        assert np.allclose(
            entries(columns).error, sizes[:, index], rtol=1e-3, atol=1e-290
        )


def chain_of_matrices(matrices: list) -> SectorNetwork:
    """Return a network without neurons, so that all matrices are multiplied."""
    operator = Composition(tuple(Dense(np.array(W)) for W in reversed(matrices)))
    reading = LinearMap(operator.shape[0], {0: operator})
    return SectorNetwork(operator.shape[1], (), reading)


@pytest.mark.parametrize("roundings", [1, 2, 7, 1000])
def test_roundings_count_with_what_they_make_of_each_other(roundings):
    """k roundings of a number make at most (1 - u)^-k - 1 of it, more than k u."""
    unit = Fraction(1, 2**53)
    operator = Sparse(scaling(np.ones(1)).matrix, rounded=roundings)
    assert Fraction(entries(operator).error[0, 0]) > (1 - unit) ** -roundings - 1


@pytest.mark.parametrize("shape", [(1, 1), (3, 2)])
def test_what_may_be_off_is_not_zero(shape):
    zero = np.zeros((3, 2))
    assert Entries([zero]).is_zero
    assert not Entries([zero], np.full(shape, 1e-300)).is_zero
    assert not Entries([zero, np.eye(3, 2)]).is_zero
    rows = np.array([2, 0])
    part = Entries([zero], np.full(shape, 1e-300)).part(rows, slice(1, 2))
    assert (np.broadcast_to(part.error, (2, 1)) == 1e-300).all()


def test_products_that_underflow_are_refused():
    """Their product is 2^-1047, what is left of the first two after cancellation."""
    a, e = 2.0**-199, 2.0**-52
    matrices = [[[a], [a * (1 + e)]], [[a, -a]], [[a]], [[a]], [[a]]]
    network = chain_of_matrices(matrices)
    truth = Fraction(a) ** 5 * Fraction(e)
    for norm in ("inf", "2"):
        try:
            square = product_square(network, norms.parse(norm))
        except RefusedCertificateError:
            continue
        assert square >= truth**2


@pytest.mark.parametrize("norm", PAIRS)
def test_numbers_that_underflow_beside_others_are_refused(norm):
    """Brought to the size of the largest, they would be nothing."""
    matrix = [[2.0**600, 2.0**-600], [2.0**-600, 2.0**600]]
    with pytest.raises(RefusedCertificateError, match="too large or too small"):
        product_square(chain_of_matrices([matrix]), norms.parse(norm))


def test_a_product_with_nothing_is_nothing():
    nothing = Sparse(sparse.csr_array((3, 4)))
    matrix = Dense(np.ones((4, 2)))
    found = entries(Composition((nothing, matrix)))
    assert found.is_zero
    assert found.floats().shape == (3, 2)


@given(st.floats(1e-307, 1e300), st.integers(-600, 20), st.floats(1e-150, 1e5))
def test_errors_that_are_moved_are_rounded_up(error, exponent, size):
    """Also where they leave float64's range at its lower end, which raises nothing."""
    errors, sizes = np.array([[error]]), np.array([[size]])
    with np.errstate(all="raise"):
        moved, grown = raised(errors, exponent), carried(sizes, errors)
    assert Fraction(moved[0, 0]) > Fraction(error) * Fraction(2) ** exponent
    assert Fraction(grown[0, 0]) > Fraction(error) * Fraction(size)
    assert moved[0, 0] <= 2 * error * 2.0**exponent + 2.0**-999
    assert grown[0, 0] <= 2 * error * size + 2.0**-999
