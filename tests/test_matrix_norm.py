"""Norms of matrices at hand: exact ones, and never below what NumPy finds."""

import numpy as np
import pytest
from closed_forms import PAIRS
from generators import chain
from oracles import matrix_norms

from geolip import norms
from geolip.bounds.matrix_norm import absolute_norm, matrix_norm
from geolip.bounds.operator_norm import operator_norm
from geolip.exact.layers import product_square
from geolip.linear import Dense

EXACT = ("inf:inf", "1:1", "1:2", "1:inf", "2:2", "2:inf")


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
@pytest.mark.parametrize("pair", PAIRS)
def test_bounds_are_above_and_most_are_exact(pair, scale):
    for seed in range(10):
        random = np.random.default_rng(seed)
        matrix = random.standard_normal(random.integers(1, 8, 2))
        exact = matrix_norms(matrix[None], norms.parse(pair))[0]
        bound = matrix_norm(scale * matrix, norms.parse(pair)) / scale
        assert exact * (1 - 1e-14) <= bound
        if pair in EXACT or len(matrix) == 1:
            assert bound <= exact * (1 + 1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_without_negative_entries_all_are_exact(pair):
    for seed in range(10):
        random = np.random.default_rng(seed)
        matrix = np.abs(random.standard_normal(random.integers(1, 8, 2)))
        exact = matrix_norms(matrix[None], norms.parse(pair))[0]
        bound = matrix_norm(matrix, norms.parse(pair))
        assert exact * (1 - 1e-14) <= bound <= exact * (1 + 1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_signs_do_not_matter_to_the_norm_of_absolute_values(pair):
    random = np.random.default_rng(0)
    matrix, pair = random.standard_normal((5, 4)), norms.parse(pair)
    exact = matrix_norms(np.abs(matrix)[None], pair)[0]
    assert absolute_norm(matrix, pair) >= exact
    assert absolute_norm(matrix, pair) == absolute_norm(-np.abs(matrix), pair)


@pytest.mark.parametrize("pair", PAIRS)
def test_zeros_and_infinities(pair):
    pair = norms.parse(pair)
    assert matrix_norm(np.zeros((2, 3)), pair) == 0.0
    assert matrix_norm(np.array([[1.0, np.inf]]), pair) == np.inf
    assert matrix_norm(np.array([[1.0, np.nan]]), pair) == np.inf


@pytest.mark.parametrize("pair", PAIRS)
def test_integers_bound_single_maps_as_well_as_float64_does(pair):
    for seed in range(5):
        random, pair_of = np.random.default_rng(seed), norms.parse(pair)
        matrix = random.standard_normal(random.integers(1, 6, 2))
        network = chain([matrix])
        decided = float(product_square(network, pair_of)) ** 0.5
        assert decided >= matrix_norms(matrix[None], pair_of)[0] * (1 - 1e-14)
        assert decided <= operator_norm(Dense(matrix), pair_of) * (1 + 1e-9)
