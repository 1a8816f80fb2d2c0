"""Branch and bound against brute force, on networks of every kind."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from generators import chain, random_chain, random_graph
from oracles import PAIRS, formal_constant, jacobians, matrix_norms

from geolip import norms
from geolip.branching.enumeration import enumerated, is_tame
from geolip.branching.region import Region, restricted
from geolip.branching.search import Search
from geolip.presolve import reduce


def network_of(seed: int, neurons: int = 10, outputs: int = 2):
    random = np.random.default_rng([seed, 61])
    make = random_chain if seed % 2 else random_graph
    return reduce(make(random, neurons, outputs)).network


def finished(network, pair, **options) -> Search:
    search = Search(network, pair, **options)
    search.begin()
    search.run()
    return search


def check(network, pair, **options) -> None:
    search, truth = finished(network, pair, **options), formal_constant(network, pair)
    assert search.is_done
    assert search.lower <= truth * (1 + 1e-12)
    assert truth * (1 - 1e-12) <= search.upper <= search.lower * (1 + 1e-6)


@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("seed", range(6))
def test_equals_brute_force(seed, norm):
    """With nothing enumerated, so that the tree alone is put to the test."""
    check(network_of(seed), norms.parse(norm), largest=0.0)


@pytest.mark.parametrize("norm", PAIRS)
def test_equals_brute_force_with_enumeration(norm):
    for seed in range(6, 12):
        check(network_of(seed), norms.parse(norm))


@pytest.mark.slow
@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("seed", range(50))
def test_fifty_networks_in_each_pair_of_norms_equal_brute_force(seed, norm):
    network = network_of(100 + seed, 14, 1 + seed % 3)
    check(network, norms.parse(norm), largest=0.0)
    check(network, norms.parse(norm))


@pytest.mark.parametrize("norm", PAIRS)
def test_whenever_it_stops_both_bounds_hold(norm):
    pair = norms.parse(norm)
    for seed in range(3):
        network = network_of(seed, 11, 3)
        truth = formal_constant(network, pair)
        search = Search(network, pair, largest=0.0)
        search.begin()
        last = search.upper
        while search.open:
            assert search.lower <= truth * (1 + 1e-12)
            assert truth * (1 - 1e-12) <= search.upper <= last
            last = search.upper
            search.step()


def test_an_interrupt_anywhere_loses_no_region(monkeypatch):
    """The bound of the second part, or the first push, never comes to its end."""
    pair = norms.parse("inf")
    network = network_of(1, 11, 1)
    truth = formal_constant(network, pair)
    for name, count in itertools.product(("_bounded", "_push"), range(1, 12)):
        search = Search(network, pair, largest=0.0)
        search.begin()
        calls, real = itertools.count(1), getattr(search, name)

        def interrupted(*arguments, calls=calls, count=count, real=real):
            if next(calls) == count:
                raise KeyboardInterrupt
            return real(*arguments)

        monkeypatch.setattr(search, name, interrupted)
        try:
            search.run()
        except KeyboardInterrupt:
            assert search.upper >= truth * (1 - 1e-12)
            search.run()
        assert search.is_done
        assert search.upper >= truth * (1 - 1e-12)


@pytest.mark.parametrize("norm", PAIRS)
def test_regions_split_the_constant(norm):
    """The larger of two parts is the whole, whatever is fixed."""
    pair = norms.parse(norm)
    for seed in range(8):
        network = network_of(seed, 7, 2)
        inputs, *hidden = network.sizes
        whole = Region(0, np.zeros(sum(hidden), np.int8), np.zeros(inputs, np.int8))
        random = np.random.default_rng(seed)
        for _ in range(3):
            whole = whole.with_slope(int(random.integers(sum(hidden))), 1)
        parts = [whole.with_slope(0, end) for end in (-1, 1)]
        halves = [whole.with_slope(0, 0), *parts]
        if pair.input.name == "inf" and inputs > 2:
            whole = whole.with_sign(0, 1).with_sign(2, -1)
            halves += [whole] + [whole.with_sign(1, sign) for sign in (-1, 1)]
        left = [restricted(network, region).network for region in halves]
        # Where nothing moves any more there is no input left.
        values = [formal_constant(n, pair) if n.input_size else 0.0 for n in left]
        for value, *others in zip(*[iter(values)] * 3, strict=True):
            assert max(others) == pytest.approx(value, rel=1e-12)


def test_patterns_of_regions_are_of_the_whole():
    for seed in range(6):
        network = network_of(seed, 8, 1)
        for norm in ("inf", "2"):
            search = finished(network, norms.parse(norm), largest=0.0)
            slopes = [
                np.where(ends > 0, block.upper, block.lower)[None]
                for block, ends in zip(
                    network.blocks,
                    np.split(search.pattern.slopes, np.cumsum(network.sizes[1:])[:-1]),
                    strict=True,
                )
            ]
            value = matrix_norms(jacobians(network, slopes), norms.parse(norm))[0]
            assert value == pytest.approx(search.lower, rel=1e-12)


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_enumeration_is_brute_force(norm):
    pair = norms.parse(norm)
    for seed in range(20):
        network = network_of(seed, 9, 1)
        assert is_tame(network)
        found = enumerated(network, pair.input)
        truth = formal_constant(network, pair)
        assert truth * (1 - 1e-14) <= found.bound <= truth * (1 + 1e-11)
        assert found.value == pytest.approx(truth, rel=1e-13)


def test_enumeration_takes_all_patterns():
    """Of weights of one sign all slopes are at one end, of alternating ones half."""
    for signs in ((1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)):
        output = np.array([[signs[0], signs[1], signs[0]]])
        network = chain([np.ones((3, 2)), output], (-0.5, 1.0))
        found = enumerated(network, norms.parse("inf").input)
        truth = formal_constant(network, norms.parse("inf"))
        assert truth <= found.bound <= truth * (1 + 1e-12)


def test_enumeration_bounds_its_rounding():
    """Where all but rounding cancels, against fractions."""
    for seed in range(30):
        column = np.random.default_rng(seed).standard_normal((40, 1))
        column[-1] = -column[:-1].sum()
        exact = abs(sum(map(Fraction, column[:, 0].tolist())))
        network = chain([column, np.ones((1, 40))], (1.0, 1.0))
        linear = reduce(network).network
        assert linear.blocks == ()
        found = enumerated(linear, norms.parse("inf").input)
        assert Fraction(found.bound) >= exact


@pytest.mark.parametrize("norm", PAIRS)
def test_at_a_coarse_accuracy_the_bounds_hold(norm):
    """Parts are done with while larger patterns than the best may be among them."""
    pair = norms.parse(norm)
    for seed in range(4):
        network = network_of(seed, 10, 3)
        truth = formal_constant(network, pair)
        search = finished(network, pair, accuracy=0.3, largest=0.0)
        search.lower = 0.5 * search.lower
        assert search.upper >= truth * (1 - 1e-12)


@pytest.mark.parametrize("exponent", [-1000, -500, -200, 200, 500])
def test_very_small_and_large_weights(exponent):
    """Products along paths that underflow are not enumerated, and bounds still hold."""
    random = np.random.default_rng(0)
    first, second = random.standard_normal((4, 3)), random.standard_normal((1, 4))
    pair = norms.parse("inf")
    truth = formal_constant(chain([first, second]), pair)
    weights = [np.ldexp(first, exponent), np.ldexp(second, -exponent)]
    search = finished(reduce(chain(weights)).network, pair)
    assert search.lower <= truth * (1 + 1e-12)
    assert search.upper >= truth * (1 - 1e-12)


def test_what_has_no_neurons_or_no_output():
    random = np.random.default_rng(0)
    for norm in PAIRS:
        pair = norms.parse(norm)
        check(chain([random.standard_normal((2, 3))]), pair, largest=0.0)
        constant = reduce(chain([np.ones((2, 3)), np.zeros((1, 2))])).network
        search = finished(constant, pair)
        assert search.upper == search.lower == 0.0


@pytest.mark.parametrize("sizes", [(8, 16, 1), (4, 8, 8, 1), (40, 16, 1)])
def test_more_inputs_or_neurons_than_can_be_enumerated(sizes):
    """Against the least of what a second tree finds with other branches and starts."""
    random = np.random.default_rng(3)
    weights = [random.standard_normal((m, n)) for n, m in itertools.pairwise(sizes)]
    pair = norms.parse("inf")
    first, second = (
        finished(reduce(chain(weights)).network, pair, seed=seed, largest=largest)
        for seed, largest in ((0, 0.0), (1, 2.0**12))
    )
    assert first.is_done
    assert second.is_done
    assert first.upper == pytest.approx(second.upper, rel=3e-6)
