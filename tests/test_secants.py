"""Secants and sampled gradients: below the truth, near it, and safe from rounding."""

import math
from fractions import Fraction

import numpy as np
import pytest
from generators import random_weights
from oracles import jacobians, matrix_norms
from test_bounds import occurring
from test_lower_bounds import nothing

from geolip import norms
from geolip.bounds.sampling import largest_sampled
from geolip.bounds.secant import largest_secant, secants
from geolip.importer import from_matrices

PAIRS = [f"{p}:{q}" for p in norms.NORMS for q in norms.NORMS]


@pytest.mark.parametrize("pair", PAIRS)
def test_both_are_below_the_true_constant_and_near_it(pair):
    pair, near = norms.parse(pair), [0, 0]
    for seed in range(10):
        random = np.random.default_rng(seed)
        weights = random_weights(random, 1, 8, 2)
        network = from_matrices(weights)
        patterns = occurring(weights[0])
        true = matrix_norms(jacobians(network.sectors(), [patterns]), pair).max()
        found = [
            largest_secant(network, pair, seed),
            largest_sampled(network, pair, seed, 500)[0],
        ]
        for which, value in enumerate(found):
            assert 0.5 * true <= value <= true
            near[which] += value >= 0.95 * true
    assert min(near) >= 7


@pytest.mark.parametrize("pair", ["inf", "2", "1"])
@pytest.mark.parametrize("bias", [0.0, 0.3, 1e8, 1e20])
def test_a_constant_network_moves_nothing(pair, bias):
    pair, network = norms.parse(pair), nothing(10.0, bias)
    for seed in range(5):
        assert largest_secant(network, pair, seed) == 0.0
        assert largest_sampled(network, pair, seed, 300)[0] == 0.0


def relu(values):
    return [max(value, Fraction(0)) for value in values]


def exact(weights, x):
    values = [Fraction(v) for v in x]
    for number, W in enumerate(weights):
        values = relu(values) if number else values
        values = [
            sum(
                (Fraction(w) * v for w, v in zip(row, values, strict=True)), Fraction(0)
            )
            for row in W.tolist()
        ]
    return values


@pytest.mark.parametrize("distance", [1.0, 1e-6, 1e-12, 1e-15])
def test_ratios_are_below_the_exact_ones(distance):
    """Also where the outputs differ by little more than rounding."""
    random, pair = np.random.default_rng(0), norms.parse("inf")
    weights = [random.standard_normal((m, n)) for m, n in ((8, 4), (8, 8), (2, 8))]
    X = random.standard_normal((4, 20))
    Y = X + distance * random.standard_normal(X.shape)
    bounds = secants(from_matrices(weights), pair, X, Y)
    assert bounds.any() == (distance > 1e-14)
    for bound, x, y in zip(bounds.tolist(), X.T.tolist(), Y.T.tolist(), strict=True):
        pairs = zip(exact(weights, x), exact(weights, y), strict=True)
        moved = max(abs(a - b) for a, b in pairs)
        apart = max(abs(Fraction(a) - Fraction(b)) for a, b in zip(x, y, strict=True))
        assert Fraction(bound) <= moved / apart
        if distance == 1.0:
            assert bound >= float(moved / apart) * (1 - 1e-10)


def test_equal_points_prove_nothing():
    network, X = from_matrices([np.eye(2)]), np.ones((2, 1))
    assert secants(network, norms.parse("2"), X, X).tolist() == [0.0]


def test_sampling_stops_in_time_and_after_its_points():
    network, pair = from_matrices([np.eye(2)]), norms.parse("2")
    assert largest_sampled(network, pair, 0, 10**9, -math.inf)[1] == 256
    assert largest_sampled(network, pair, 0, 300)[1] == 300
