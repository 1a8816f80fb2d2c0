"""Every method of the folder against brute force, on the same small networks."""

from itertools import pairwise

import numpy as np
import pytest
from oracles import formal_constant

from geolip import importer, methods, norms
from geolip.errors import UsageError
from geolip.methods import Label, Question

PAIRS = tuple(f"{p}:{q}" for p in norms.NORMS for q in norms.NORMS)


def small_network(seed: int):
    """Return a ReLU chain of one to three layers and at most ten neurons."""
    random = np.random.default_rng([seed, 31])
    hidden = random.integers(1, 5, random.integers(1, 4))
    sizes = [int(random.integers(1, 5)), *hidden, int(random.integers(1, 4))]
    weights = [random.standard_normal((m, n)) for n, m in pairwise(sizes)]
    return importer.load(weights)


def check(name: str, pair: str, seeds: range) -> None:
    """Hold a method's numbers for small networks against all slope patterns."""
    method = methods.get(name)
    for seed in seeds:
        network = small_network(seed)
        question = Question(network, norms.parse(pair))
        if method.refusal(question) is not None:
            continue
        answer = method.answer(question)
        truth = formal_constant(network.sectors(), question.norms)
        if answer.label.is_upper:
            assert answer.value >= truth * (1 - 1e-12), seed
        if answer.label in (Label.LOWER, Label.FGL_LOWER):
            assert answer.value <= truth * (1 + 1e-12), seed
        if answer.label is Label.EXACT:
            assert answer.value <= truth * (1 + 1e-6), seed


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", methods.names())
def test_each_number_is_on_its_side_of_the_truth(name, pair):
    check(name, pair, range(12))


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", methods.names())
def test_each_of_many_numbers_is_on_its_side_of_the_truth(name, pair):
    # Over all pairs, two thousand networks.
    first = 12 + 223 * PAIRS.index(pair)
    check(name, pair, range(first, first + 223))


@pytest.mark.parametrize("name", methods.names())
def test_a_network_that_does_not_move_has_constant_zero(name):
    network = importer.load([np.zeros((2, 3)), np.ones((1, 2))])
    for pair in PAIRS:
        question = Question(network, norms.parse(pair))
        if methods.get(name).refusal(question) is None:
            assert methods.get(name).answer(question).value <= 5e-324


@pytest.mark.parametrize("name", methods.names())
def test_each_method_has_a_title_of_its_own(name):
    titles = [methods.get(other).TITLE for other in methods.names()]
    assert titles.count(methods.get(name).TITLE) == 1


def test_an_unknown_method_is_refused_with_all_names():
    with pytest.raises(UsageError, match="norm_product"):
        methods.get("k5")
