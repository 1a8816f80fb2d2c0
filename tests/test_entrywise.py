"""K_3 and K_4: tables, brute force, graphs, exact fractions, both ways with maxima."""

import math
from fractions import Fraction

import numpy as np
import oracles
import pytest
from closed_forms import PAIRS, cancelling, gaussian, k1, k3, k4, pooled_network
from generators import chain, random_chain, random_graph
from importer_models import build, integers, node, weights
from oracles import formal_constant

from geolip import importer, memory, methods, norms
from geolip.backend import Settings
from geolip.bounds.entrywise import absolute_paths, absolute_product, absolute_rows
from geolip.bounds.norm_product import norm_product
from geolip.bounds.stages import explicit, implicit
from geolip.linear import Convolution, Dense
from geolip.methods import Question
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

WAYS = (explicit, implicit)

# Sizes of layers; K_4 and K_3 in l_2, then in l_inf.
TABLE = {
    (4, 6, 1): (4.2465, 4.6676, 7.9003, 8.9411),
    (6, 8, 1): (8.2378, 11.7158, 18.7814, 28.1481),
    (5, 5, 5, 1): (14.7675, 26.8689, 30.5779, 55.5792),
    (3, 4, 4, 4, 1): (21.5883, 44.7203, 37.2870, 76.1611),
    (4, 6, 3): (8.7173, 10.0792, 13.9140, 16.5989),
    (4, 5, 5, 3): (21.5093, 39.4220, 32.9192, 59.4373),
    (3, 4, 4, 4, 2): (25.6436, 57.1115, 37.2870, 76.1611),
}

# The same in l_1.
SUMS = {
    (4, 6, 3): (8.8767, 9.9341),
    (4, 5, 5, 3): (24.7852, 40.4222),
    (3, 4, 4, 4, 2): (22.7150, 56.7182),
}


@pytest.mark.parametrize("sizes", TABLE)
def test_values_are_those_of_the_table(sizes):
    network = chain(gaussian(sizes))
    values = [f(network, norms.parse(p)) for p in ("2", "inf") for f in (k4, k3)]
    assert values == pytest.approx(TABLE[sizes], abs=5.1e-5)
    if sizes in SUMS:
        values = [f(network, norms.parse("1")) for f in (k4, k3)]
        assert values == pytest.approx(SUMS[sizes], abs=5.1e-5)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("kind", [random_chain, random_graph])
def test_both_are_between_brute_force_and_products(kind, pair):
    pair = norms.parse(pair)
    for seed in range(15):
        network = kind(np.random.default_rng([seed, 5]), 8, 2)
        exact = formal_constant(network, pair)
        finer, coarser = k4(network, pair), k3(network, pair)
        assert exact <= finer <= coarser * (1 + 1e-12)
        if pair.input is pair.output and pair.input.name != "2":
            assert coarser <= norm_product(network, pair) * (1 + 1e-12)


def test_in_l_inf_they_are_the_definitions_of_the_oracles():
    for seed in range(10):
        random = np.random.default_rng(seed)
        network = chain(gaussian(random.integers(1, 7, random.integers(2, 6))))
        weights = oracles.chain_weights(network)
        pair = norms.parse("inf")
        assert k4(network, pair) == pytest.approx(oracles.k4(weights), rel=1e-12)
        assert k3(network, pair) == pytest.approx(oracles.k3(weights), rel=1e-12)


@pytest.mark.parametrize("kind", [random_chain, random_graph])
def test_absolute_values_are_multiplied_from_either_end(kind):
    for seed in range(20):
        network = explicit(kind(np.random.default_rng([seed, 6]), 8, 2))
        forward = absolute_product(network, np.eye(network.input_size))
        np.testing.assert_allclose(absolute_rows(network), forward, rtol=1e-12)


def test_rounding_is_never_downwards():
    """Against K_4 in fractions, on layers whose products cancel."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        first = random.standard_normal((6, 5))
        second = random.standard_normal((6, 6)) @ (np.eye(6) - np.ones((6, 6)) / 6)
        network = chain([first, second, 1e-3 * first[:2] @ first.T])
        exact = exact_k4(oracles.chain_weights(network))
        bound = k4(network, norms.parse("inf"))
        assert exact <= Fraction(bound) <= exact * Fraction(1 + 1e-12)


@pytest.mark.parametrize("network", cancelling())
def test_what_cancels_in_float64_is_still_bounded(network):
    paths = network.path_rows(network.output, np.array([0]), len(network.stages))
    assert paths[0] == 0
    assert 1 <= absolute_paths(network, np.ones((1, 1)))[0][0, 0] <= 1e3


def exact_k4(weights):
    matrices = [np.vectorize(Fraction)(W) for W in weights]
    sums = [np.vectorize(Fraction)(np.eye(weights[0].shape[1]))]
    for m in range(1, len(weights) + 1):
        paths = [oracles_product(matrices, k, m) for k in range(m)]
        sums.append(sum(abs(P) @ S for P, S in zip(paths, sums, strict=True)))
    return max(sums[-1].sum(axis=1)) / 2 ** (len(weights) - 1)


def oracles_product(matrices, first, last):
    product = matrices[first]
    for W in matrices[first + 1 : last]:
        product = W @ product
    return product


@pytest.mark.parametrize("pair", ["inf", "2", "2:inf"])
def test_convolutions_are_their_matrices(pair):
    pair = norms.parse(pair)
    random = np.random.default_rng(0)
    one = random.standard_normal((3, 2, 3, 3))
    two = random.standard_normal((2, 3, 2, 2))
    first = Convolution(one, (6, 5), (2, 1), (1, 1), ((1, 1), (0, 1)))
    second = Convolution(two, first.out_space, (1, 2), (1, 1), ((0, 0), (1, 0)))
    last = Dense(random.standard_normal((3, second.shape[0])))
    bounds = []
    for operators in (
        (first, second, last),
        [Dense(A.dense()) for A in (first, second, last)],
    ):
        maps = [LinearMap(A.shape[0], {k: A}) for k, A in enumerate(operators)]
        blocks = tuple(
            SectorBlock(m, np.full(m.size, -0.1), np.ones(m.size)) for m in maps[:-1]
        )
        network = SectorNetwork(operators[0].shape[1], blocks, maps[-1])
        bounds.append([k4(network, pair), k3(network, pair)])
    assert bounds[0] == pytest.approx(bounds[1], rel=1e-9)


def test_without_time_k4_is_k3_and_says_so():
    network = importer.load(gaussian((4, 5, 5, 3)))
    sectors, pair = network.sectors(), norms.parse("inf")
    late = k4(sectors, pair, deadline=-math.inf)
    assert late == pytest.approx(k3(sectors, pair), rel=1e-12)
    question = Question(network, pair, Settings(time_limit=0.0))
    answer = methods.get("k4").answer(question)
    assert answer.value == late
    assert answer.note == "out of time: 13 neurons as in K3"


@pytest.mark.parametrize("bound", [k3, k4])
@pytest.mark.parametrize("pair", ["inf", "2", "2:inf", "inf:2"])
def test_maxima_are_bounded_both_ways(bound, pair):
    network, pair = pooled_network().sectors(), norms.parse(pair)
    truth = formal_constant(network, pair)
    for way in WAYS:
        assert bound(network, pair, way) >= truth
    # A maximum as neurons counts what it compares several times.
    assert bound(network, pair, implicit) < bound(network, pair, explicit)


@pytest.mark.parametrize("seed", range(6))
def test_random_windows_are_bounded_both_ways(seed):
    random = np.random.default_rng(seed)
    stride, size, width = (int(n) for n in random.integers((1, 2, 4), (3, 4, 6)))
    windows = (width - size) // stride + 1
    nodes = [
        node("MatMul", ["x", "v"], ["h"]),
        node("Reshape", ["h", "image"], ["c"]),
        node("MaxPool", ["c"], ["p"], kernel_shape=[size], strides=[stride]),
        node("Relu", ["p"], ["r"]),
        node("Flatten", ["r"], ["f"]),
        node("MatMul", ["f", "w"], ["y"]),
    ]
    numbers = {
        "v": weights(seed, 3, width),
        "w": weights(seed + 50, windows, 2),
        "image": integers(1, 1, width),
    }
    network = importer.load(build(nodes, (1, 3), numbers)).sectors()
    assert network.has_mixtures
    for name in PAIRS:
        pair = norms.parse(name)
        truth = formal_constant(network, pair)
        for bound in (k1, k3, k4):
            assert min(bound(network, pair, way) for way in WAYS) >= truth


@pytest.mark.parametrize("name", ["k3", "k4"])
def test_the_tighter_way_wins_and_both_are_told(name):
    network, pair = pooled_network(), norms.parse("inf")
    answer = methods.get(name).answer(Question(network, pair))
    bound = {"k3": k3, "k4": k4}[name]
    ways = [bound(network.sectors(), pair, way) for way in WAYS]
    assert answer.value == min(ways)
    assert answer.note == f"explicit maxima {ways[0]:.6g}, implicit {ways[1]:.6g}"


def test_k3_leaves_implicit_maxima_out_when_the_time_is_over():
    network, pair = pooled_network(), norms.parse("2")
    answer = methods.get("k3").answer(Question(network, pair, Settings(time_limit=0.0)))
    assert answer.value == pytest.approx(k3(network.sectors(), pair), rel=1e-12)
    assert "implicit: out of time" in answer.note


def test_k4_needs_rows_of_the_inputs_length_but_for_l_inf(monkeypatch):
    monkeypatch.setattr(memory, "fits", lambda numbers: numbers < 1000)
    network, method = importer.load(gaussian((30, 20, 20, 2))), methods.get("k4")
    reason = method.refusal(Question(network, norms.parse("2")))
    assert "40 neurons by 30 inputs do not fit in memory" in reason
    assert method.refusal(Question(network, norms.parse("inf:2"))) is None
