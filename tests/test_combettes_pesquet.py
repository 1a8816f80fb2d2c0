"""K_1: tables, its definition by subsets, brute force, orders, rounding, no time."""

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import oracles
import pytest
from closed_forms import PAIRS, cancelling, gaussian, k1, k3, k4, pooled_network
from generators import chain, random_chain, random_graph
from oracles import formal_constant

from geolip import importer, memory, methods, norms
from geolip.backend import Settings
from geolip.bounds.combettes_pesquet import combettes_pesquet
from geolip.bounds.norm_product import norm_product
from geolip.bounds.stages import explicit, implicit
from geolip.methods import Question

# Sizes of layers; K_1 in l_2, then in l_inf.
TABLE = {
    (4, 6, 1): (4.3335, 10.9829),
    (6, 8, 1): (8.4847, 26.2230),
    (5, 5, 5, 1): (13.8845, 49.6747),
    (3, 4, 4, 4, 1): (23.6516, 91.5948),
    (4, 6, 3): (8.0004, 18.8049),
    (4, 5, 5, 3): (19.4816, 66.9283),
    (3, 4, 4, 4, 2): (26.1762, 101.0444),
}

# The same in l_1.
SUMS = {
    (4, 6, 3): 11.2693,
    (4, 5, 5, 3): 36.3578,
    (3, 4, 4, 4, 2): 44.8816,
}


@pytest.mark.parametrize("sizes", TABLE)
def test_values_are_those_of_the_table(sizes):
    network = chain(gaussian(sizes))
    values = [k1(network, norms.parse(p)) for p in ("2", "inf")]
    assert values == pytest.approx(TABLE[sizes], abs=5.1e-5)
    if sizes in SUMS:
        value = k1(network, norms.parse("1"))
        assert value == pytest.approx(SUMS[sizes], abs=5.1e-5)


@pytest.mark.parametrize(("name", "order"), [("1", 1), ("2", 2), ("inf", np.inf)])
def test_it_is_the_sum_over_all_ways_to_cut_the_chain(name, order):
    for seed in range(10):
        random = np.random.default_rng(seed)
        weights = gaussian(random.integers(1, 7, random.integers(2, 7)))
        value = k1(chain(weights), norms.parse(name))
        assert value == pytest.approx(oracles.k1(weights, order), rel=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("kind", [random_chain, random_graph])
def test_it_is_between_brute_force_and_the_norm_product(kind, pair):
    pair = norms.parse(pair)
    for seed in range(15):
        network = kind(np.random.default_rng([seed, 7]), 8, 2)
        bound = k1(network, pair)
        assert formal_constant(network, pair) <= bound
        assert bound <= norm_product(network, pair) * (1 + 1e-9)


@pytest.mark.parametrize("name", ["1", "inf"])
@pytest.mark.parametrize("kind", [random_chain, random_graph])
def test_k4_is_the_least_of_the_three(kind, name):
    pair = norms.parse(name)
    for seed in range(30):
        network = kind(np.random.default_rng([seed, 8]), 12, 2)
        least = min(k1(network, pair), k3(network, pair))
        assert k4(network, pair) <= least * (1 + 1e-9)


def test_rounding_is_never_downwards():
    """Against fractions, on layers whose products cancel."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        first = random.standard_normal((6, 5))
        second = random.standard_normal((6, 6)) @ (np.eye(6) - np.ones((6, 6)) / 6)
        weights = [first, second, 1e-3 * first[:2] @ first.T]
        bound = k1(chain(weights), norms.parse("inf"))
        exact = exact_k1(weights)
        assert exact <= Fraction(bound) <= exact * Fraction(1 + 1e-12)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("network", cancelling())
def test_what_cancels_in_float64_is_still_bounded(network, pair):
    assert 1 <= combettes_pesquet(network, norms.parse(pair))[0] <= 1e3


def exact_k1(weights):
    matrices = [np.vectorize(Fraction)(W) for W in weights]
    depth, total = len(weights), Fraction(0)
    for count in range(depth):
        for cuts in combinations(range(1, depth), count):
            term = Fraction(1)
            for start, end in pairwise([0, *cuts, depth]):
                product = matrices[start]
                for W in matrices[start + 1 : end]:
                    product = W @ product
                term *= max(abs(product).sum(axis=1))
            total += term
    return total / 2 ** (depth - 1)


@pytest.mark.parametrize("pair", ["inf", "2", "2:inf", "inf:2"])
def test_maxima_are_bounded_both_ways(pair):
    network, pair = pooled_network(), norms.parse(pair)
    truth = formal_constant(network.sectors(), pair)
    ways = [k1(network.sectors(), pair, way) for way in (explicit, implicit)]
    assert truth <= ways[1] < ways[0]
    answer = methods.get("combettes_pesquet").answer(Question(network, pair))
    assert answer.value == ways[1]


def test_without_time_it_is_the_norm_product_and_says_so():
    network, pair = importer.load(gaussian((4, 5, 5, 3))), norms.parse("inf")
    question = Question(network, pair, Settings(time_limit=0.0))
    answer = methods.get("combettes_pesquet").answer(question)
    product = norm_product(network.sectors(), pair)
    assert answer.value == pytest.approx(product, rel=1e-12)
    assert answer.note == "out of time: 3 layers as norms"


def test_products_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "fits", lambda numbers: numbers < 1000)
    question = Question(importer.load(gaussian((30, 20, 20, 2))), norms.parse("inf"))
    reason = methods.get("combettes_pesquet").refusal(question)
    assert "30 inputs and 40 neurons do not fit in memory" in reason
