"""Lower bounds stay below brute force and get near it; the norm product stays above."""

from itertools import combinations, product

import numpy as np
import pytest
from generators import chain, random_chain, random_graph, random_weights
from oracles import PAIRS, formal_constant, jacobians, matrix_norms

from geolip import norms
from geolip.bounds.gradient import largest_gradient
from geolip.bounds.norm_product import norm_product
from geolip.bounds.operator_norm import operator_norm
from geolip.bounds.pattern import largest_pattern
from geolip.importer import from_matrices
from geolip.linear import Convolution, Dense, Sparse, compose, scaling
from geolip.presolve import reduce

# Whose operator norms are only bounded.
LOOSE = {"inf:2", "inf:1", "2:1"}


@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("kind", [random_chain, random_graph])
def test_patterns_are_below_brute_force_and_mostly_reach_it(kind, norm):
    pair, reached = norms.parse(norm), 0
    for seed in range(20):
        network = reduce(kind(np.random.default_rng(seed), 9, 2)).network
        exact = formal_constant(network, pair)
        found, direction = largest_pattern(network, pair, seed)
        assert found <= exact * (1 + 1e-12)
        assert pair.input.of(direction[:, None])[0] == pytest.approx(1.0)
        reached += found >= 0.999 * exact
    assert reached >= 15


def occurring(W):
    """Return all patterns (p, m) of the signs of W x, for W (m, n) in general position.

    They are the cones between the hyperplanes; each has an extreme ray, where n - 1
    hyperplanes meet in general position, so that all their sign patterns occur.
    """
    m, n = W.shape
    corners = np.array(list(product([0.0, 1.0], repeat=n - 1)))
    patterns = []
    for rows in map(list, combinations(range(m), n - 1)):
        ray = np.linalg.svd(W[rows])[2][-1]
        for sign in (-1, 1):
            pattern = np.repeat([(W @ ray * sign > 0).astype(float)], len(corners), 0)
            pattern[:, rows] = corners
            patterns.append(pattern)
    return np.unique(np.concatenate(patterns), axis=0)


@pytest.mark.parametrize("norm", PAIRS)
def test_gradients_are_below_the_true_constant_and_near_it(norm):
    pair = norms.parse(norm)
    for seed in range(10):
        random = np.random.default_rng(seed)
        weights = random_weights(random, 1, 8, 2)
        network = from_matrices(weights)
        found = largest_gradient(network, network.sectors(), pair, seed)
        patterns = occurring(weights[0])
        true = matrix_norms(jacobians(network.sectors(), [patterns]), pair).max()
        assert 0.9 * true <= found <= true


@pytest.mark.parametrize("norm", PAIRS)
def test_operator_norms_are_upper_bounds_and_tight(norm):
    pair = norms.parse(norm)
    random = np.random.default_rng(0)
    kernel = random.standard_normal((3, 2, 2, 2))
    conv = Convolution(kernel, (3, 3), (2, 1), (1, 1), ((1, 0), (0, 1)))
    dense = Dense(random.standard_normal((6, 8)))
    for operator in (
        dense,
        Dense(1e-30 * dense.matrix),
        Dense(1e30 * dense.matrix.T),
        Dense(np.zeros((3, 2))),
        conv if not norm.startswith("inf") else dense,
        compose(dense, scaling(random.standard_normal(8))),
    ):
        exact = matrix_norms(operator.dense()[None], pair)[0]
        bound = operator_norm(operator, pair)
        assert bound >= exact
        if norm not in LOOSE:
            assert bound <= exact * (1 + 1e-9)
        # With non-negative entries, all but the spectral ones are exact.
        positive = operator.absolute
        bound = operator_norm(positive, pair)
        exact = matrix_norms(positive.dense()[None], pair)[0]
        assert bound >= exact * (1 - 1e-12)
        if norm.split(":")[0] != "2":
            assert bound <= exact * (1 + 1e-9)


def test_operator_norms_of_large_maps_need_no_gram_matrix():
    random = np.random.default_rng(0)
    large = Sparse(scaling(random.standard_normal(3000)).matrix)
    for norm in PAIRS[:3]:
        bound = operator_norm(large, norms.parse(norm))
        assert bound >= np.abs(large.matrix.data).max()
        assert bound <= np.abs(large.matrix.data).max() * (1 + 1e-9)


@pytest.mark.parametrize("norm", PAIRS)
def test_norm_product_is_above_brute_force(norm):
    pair = norms.parse(norm)
    for seed in range(20):
        network = random_graph(np.random.default_rng(seed), 8, 2)
        assert norm_product(network, pair) >= formal_constant(network, pair)


def test_norm_product_of_one_layer_is_its_norm():
    W = np.array([[1.0, -2.0], [3.0, 4.0]])
    network = chain([W])
    assert norm_product(network, norms.parse("inf")) == pytest.approx(7.0)
    spectral = np.linalg.norm(W, 2)
    assert norm_product(network, norms.parse("2")) == pytest.approx(spectral)
