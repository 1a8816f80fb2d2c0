"""What presolve leaves out does not change the function; linear neurons go as well."""

import numpy as np
import pytest
from generators import random_chain, random_graph
from oracles import formal_constant

from geolip import backend, norms
from geolip.backend import Settings
from geolip.bounds.norm_product import norm_product
from geolip.incumbent import Incumbent
from geolip.linear import Composition, Dense
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

KINDS = (random_chain, random_graph)


def partly_linear(seed: int) -> SectorNetwork:
    """Return a network some of whose neurons, or whole blocks, have one slope."""
    random = np.random.default_rng(seed)
    network = KINDS[seed % 2](random, neurons=12, outputs=2, depth=4)
    blocks = []
    for block in network.blocks:
        share = random.choice([0.0, 0.5, 1.0])
        linear = random.random(block.size) < share
        slope = random.choice([0.5, 1.0, -2.0])
        lower = np.where(linear, slope, block.lower)
        upper = np.where(linear, slope, block.upper)
        blocks.append(SectorBlock(block.preactivation, lower, upper))
    return SectorNetwork(network.input_size, tuple(blocks), network.output)


@pytest.mark.parametrize("seed", range(12))
def test_reduction_keeps_the_function(seed):
    network = partly_linear(seed)
    reduction = reduce(network)
    random = np.random.default_rng(seed)
    slopes = [
        (b.lower + random.random(b.size) * (b.upper - b.lower))[:, None]
        for b in network.blocks
    ]
    pairs = zip(slopes, reduction.kept[1:], strict=True)
    kept = [s[mask] for s, mask in pairs if mask.any()]
    X = random.standard_normal((network.input_size, 3))
    expected = network.jacobian(slopes, X)
    found = reduction.network.jacobian(kept, X[reduction.kept[0]])
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    for block in reduction.network.blocks:
        assert (block.lower < block.upper).all()


@pytest.mark.parametrize("norm", ["inf:2", "2"])
@pytest.mark.parametrize("seed", range(12))
def test_bounds_of_partly_linear_networks_hold(seed, norm):
    network = partly_linear(seed)
    pair = norms.parse(norm)
    problem = Problem(reduce(network).network, pair.input)
    if problem.is_trivial:
        return
    judge = Incumbent(problem, accuracy=1e-6)
    value = backend.get("auto").solve(problem, Settings(1e-6), judge).value
    bound = judge.settle()
    assert bound >= formal_constant(network, pair) * (1 - 1e-12)
    assert bound <= value * (1 + 1e-5)


def test_linear_neurons_whose_products_underflow_stay():
    """Six layers of 2^-200, six of 2^200 and a skip: a little over one."""
    weights = [np.array([[2.0**-200]])] * 6 + [np.array([[2.0**200]])] * 6
    maps = [LinearMap(1, {k: Dense(W)}) for k, W in enumerate(weights)]
    one = np.ones(1)
    blocks = tuple(SectorBlock(reading, one, one) for reading in maps)
    skip = LinearMap(1, {0: Dense(np.array([[1e-5]])), 12: Dense(np.ones((1, 1)))})
    network = SectorNetwork(1, blocks, skip)
    for pair in ("inf", "2"):
        product = norm_product(reduce(network).network, norms.parse(pair))
        assert product >= 1.0 + 1e-5


def test_paths_beyond_counting_do_not_make_a_network_dead():
    """64^172 paths leave float64's range; the numbers themselves do not."""
    layers = [Dense(np.full((64, 64), 2.0**-5.7))] * 172
    operator = Composition(tuple(layers))
    network = SectorNetwork(64, (), LinearMap(64, {0: operator}))
    with np.errstate(all="raise"):
        assert reduce(network).network.input_size == 64
        assert reduce(network).network.output.terms
