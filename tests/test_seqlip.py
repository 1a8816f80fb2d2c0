"""SeqLip: the table, brute force of factors and of networks, the remainder."""

from math import prod

import numpy as np
import pytest
from closed_forms import gaussian
from generators import chain, random_chain
from oracles import formal_constant

from geolip import importer, methods, norms
from geolip.bounds.norm_product import norm_product
from geolip.bounds.seqlip import factors
from geolip.linear import Dense, compose
from geolip.methods import Label, Question
from geolip.presolve import reduce
from geolip.sectors import LinearMap, SectorNetwork

PAIR = norms.parse("2")

# Sizes of layers; the product with every factor's exact maximum.
TABLE = {
    (4, 6, 1): 3.8806,
    (6, 8, 1): 6.7891,
    (5, 5, 5, 1): 11.5479,
    (3, 4, 4, 4, 1): 19.0581,
    (4, 6, 3): 7.2680,
    (4, 5, 5, 3): 16.0680,
    (3, 4, 4, 4, 2): 20.5731,
}


@pytest.mark.parametrize("sizes", TABLE)
def test_values_are_those_of_the_table(sizes):
    question = Question(importer.load(gaussian(sizes)), PAIR)
    found = methods.get("seqlip").answer(question)
    assert found.label is Label.ESTIMATE
    assert found.value == pytest.approx(TABLE[sizes], abs=5.1e-5)
    proved = methods.get("seqlip_certified").answer(question)
    # Each factor is at most a quarter above its maximum, and mostly near it.
    assert found.value * (1 - 1e-12) <= proved.value <= 1.01 * found.value


@pytest.mark.parametrize("seed", range(25))
def test_the_product_of_the_factors_is_a_bound(seed):
    network = reduce(random_chain(np.random.default_rng(seed), 9, 2)).network
    networks, remainder = factors(network)
    product = prod(formal_constant(factor, PAIR) for factor in networks)
    exact = formal_constant(network, PAIR)
    assert exact <= product * (1 + 1e-12)
    assert product <= norm_product(network, PAIR) * (1 + 1e-9)
    if len(networks) == 1:
        assert product == pytest.approx(exact)
        assert remainder == 0.0
    else:
        assert 0 < remainder <= 1e-9 * norm_product(network, PAIR)


def test_the_remainder_covers_what_the_decomposition_misses(monkeypatch):
    """As if the singular values were a thousandth off."""
    network, decomposed = chain(gaussian((4, 5, 5, 3))), np.linalg.svd

    def off(matrix, **options):
        U, singular, V = decomposed(matrix, **options)
        return U, 0.999 * singular, V

    monkeypatch.setattr(np.linalg, "svd", off)
    networks, remainder = factors(network)
    monkeypatch.undo()
    product = prod(formal_constant(factor, PAIR) for factor in networks)
    assert product + remainder >= product / 0.999
    assert remainder <= 0.01 * norm_product(network, PAIR)


def test_roundings_of_entries_are_in_the_remainder():
    first, last = gaussian((4, 5, 3))
    plain = chain([first, last])
    folded = compose(Dense(last), Dense(np.eye(5) + 1e-3))
    network = SectorNetwork(4, plain.blocks, LinearMap(3, {1: folded}))
    assert factors(plain)[1] == 0.0
    assert 1e-16 < factors(network)[1] < 1e-12


@pytest.mark.parametrize("name", ["seqlip", "seqlip_certified"])
def test_one_matrix_has_its_norm(name):
    (W,) = gaussian((4, 3))
    question = Question(importer.load([W]), PAIR)
    value = methods.get(name).answer(question).value
    assert value == pytest.approx(np.linalg.norm(W, 2))
    other = Question(question.network, norms.parse("inf"))
    assert "2:2" in methods.get(name).refusal(other)
