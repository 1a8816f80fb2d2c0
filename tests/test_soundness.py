"""Bounds against brute force and against each other, on hundreds of random networks."""

import numpy as np
import pytest
from generators import SECTORS, chain, random_chain, random_graph, random_weights
from oracles import (
    chain_weights,
    formal_constant,
    jacobians,
    k1,
    k3,
    k4,
    matrix_norms,
    product_of_norms,
)

from geolip import backend, norms
from geolip.backend import Settings
from geolip.bounds.norm_product import norm_product
from geolip.bounds.pattern import largest_pattern
from geolip.incumbent import Incumbent
from geolip.norms import NormPair
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.sectors import SectorNetwork

ACCURACY = 1e-6
# Relative rounding of the oracles.
ROUNDING = 1e-12


def solve(
    network: SectorNetwork, pair: NormPair, accuracy: float = ACCURACY
) -> tuple[float, float, float]:
    """Return the relaxation's value, the verified bound, and a pattern's norm."""
    reduced = reduce(network).network
    problem = Problem(reduced, pair.input)
    judge = Incumbent(problem, accuracy=accuracy)
    settings = Settings(accuracy, extra={"max_iterations": 3000})
    solution = backend.get("lifted").solve(problem, settings, judge)
    assert solution.value is not None
    pattern, _ = largest_pattern(reduced, pair, 0, solution.vectors)
    return solution.value, judge.settle(), pattern


@pytest.mark.parametrize("norm", ["inf", "2", "2:inf", "inf:2"])
@pytest.mark.parametrize("kind", [random_chain, random_graph])
@pytest.mark.parametrize("batch", range(8))
def test_bounds_hold_against_brute_force(kind, norm, batch):
    """Never below the FGL; all orderings between the quantities hold."""
    pair = norms.parse(norm)
    for seed in range(5 * batch, 5 * batch + 5):
        random = np.random.default_rng([seed, len(norm)])
        network = kind(random, outputs=1 if pair.rowwise else 3)
        exact = formal_constant(network, pair)
        value, bound, pattern = solve(network, pair)
        assert bound >= exact, (seed, bound, exact)
        assert value <= bound
        assert pattern <= exact * (1 + ROUNDING)
        assert bound <= value * (1 + 1e-3), (seed, bound / value - 1)
        assert exact <= norm_product(network, pair) * (1 + ROUNDING)


@pytest.mark.parametrize("seed", range(30))
def test_orderings_of_a_chain_in_the_maximum_norm(seed):
    """FGL <= GeoLIP <= K4 <= min(K1, K3) <= norm product, sectors [0, 1]."""
    random = np.random.default_rng(seed)
    network = chain(random_weights(random, int(random.integers(1, 5)), 9, 1))
    weights, pair = chain_weights(network), norms.parse("inf")
    exact = formal_constant(network, pair)
    value, bound, _ = solve(network, pair)
    close = 1 + 1e-4
    assert exact <= bound
    assert value <= k4(weights) * (1 + ROUNDING)
    assert bound <= k4(weights) * close
    assert k4(weights) <= min(k1(weights, np.inf), k3(weights)) * (1 + ROUNDING)
    assert max(k1(weights, np.inf), k3(weights)) <= product_of_norms(
        weights, np.inf
    ) * (1 + ROUNDING)
    product = product_of_norms(weights, np.inf)
    assert norm_product(network, pair) == pytest.approx(product, rel=1e-9)
    if len(network.blocks) == 1:
        assert value <= 1.7823 * exact


@pytest.mark.parametrize("seed", range(30))
def test_orderings_of_a_chain_in_the_euclidean_norm(seed):
    """FGL <= LipSDP-Neuron <= min(K1, K4) <= norm product, sectors [0, 1]."""
    random = np.random.default_rng(seed)
    network = chain(random_weights(random, int(random.integers(1, 5)), 9, 2))
    weights, pair = chain_weights(network), norms.parse("2")
    exact = formal_constant(network, pair)
    value, bound, _ = solve(network, pair)
    assert exact <= bound
    assert value <= k1(weights, 2) * (1 + ROUNDING)
    product = product_of_norms(weights, 2)
    assert k1(weights, 2) <= product * (1 + ROUNDING)
    assert product <= norm_product(network, pair) <= product * (1 + 1e-9)
    if len(network.blocks) == 1:
        assert value <= 1.2534 * exact


@pytest.mark.parametrize("norm", ["inf", "2", "2:inf", "inf:2"])
@pytest.mark.parametrize("seed", range(25))
def test_non_negative_networks_are_exact(norm, seed):
    """With weights >= 0 the constant is the norm of the plain product."""
    random = np.random.default_rng(seed)
    depth = int(random.integers(1, 6))
    outputs = 1 if norm.endswith("inf") else 3
    weights = random_weights(random, depth, int(random.integers(depth, 60)), outputs)
    network = chain([np.abs(W) for W in weights])
    pair = norms.parse(norm)
    ones = [np.ones((1, block.size)) for block in network.blocks]
    exact = float(matrix_norms(jacobians(network, ones), pair)[0])
    _, bound, pattern = solve(network, pair, accuracy=1e-8)
    assert bound >= exact
    assert bound == pytest.approx(exact, rel=1e-6)
    assert pattern == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("sector", SECTORS)
def test_one_neuron_has_its_steepest_slope(sector):
    network = chain([np.array([[3.0]]), np.array([[-2.0]])], sector)
    for norm in ("inf", "2"):
        value, bound, _ = solve(network, norms.parse(norm), accuracy=1e-9)
        exact = 6 * max(abs(end) for end in sector)
        assert exact <= bound <= exact * (1 + 1e-8)
        assert value <= exact * (1 + ROUNDING)


def test_coupled_multipliers_are_not_used():
    """relu(x) - relu(x - 1) moves by one; LipSDP-Network certifies zero."""
    network = chain([np.ones((2, 1)), np.array([[1.0, -1.0]])])
    for norm in ("inf", "2"):
        assert solve(network, norms.parse(norm))[1] >= 1.0


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("seed", range(5))
def test_scaling_any_layer_scales_the_bound(norm, seed):
    random = np.random.default_rng(seed)
    weights = random_weights(random, 3, 9, 1)
    pair = norms.parse(norm)
    _, bound, _ = solve(chain(weights), pair, accuracy=1e-8)
    for k in range(len(weights)):
        for factor, close in ((100.0, 1e-3), (256.0, 1e-9)):
            scaled = [factor * W if i == k else W for i, W in enumerate(weights)]
            _, larger, _ = solve(chain(scaled), pair, accuracy=1e-8)
            assert larger == pytest.approx(factor * bound, rel=close)


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("seed", range(5))
def test_permuting_neurons_changes_nothing(norm, seed):
    random = np.random.default_rng(seed)
    weights = random_weights(random, 2, 10, 1)
    order = random.permutation(len(weights[0]))
    permuted = [weights[0][order], weights[1][:, order], weights[2]]
    pair = norms.parse(norm)
    _, bound, _ = solve(chain(weights), pair, accuracy=1e-8)
    _, other, _ = solve(chain(permuted), pair, accuracy=1e-8)
    assert other == pytest.approx(bound, rel=1e-4)
