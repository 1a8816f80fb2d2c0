"""Networks in parts: where they may be cut, and that products are bounds."""

from fractions import Fraction

import numpy as np
import pytest
from generators import chain, random_graph, random_weights
from oracles import formal_constant

from geolip import certification, memory, norms, splitting
from geolip.bounds.norm_product import norm_product
from geolip.splitting import Part

PAIRS = ("inf", "2", "inf:2", "2:inf")


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("seed", range(6))
def test_parts_compose_to_the_network(seed, pair):
    random = np.random.default_rng(seed)
    weights = random_weights(random, 4, 10, 2)
    whole = Part(chain(weights), norms.parse(pair))
    pieces = splitting.parts(whole, lambda problem: len(problem.network.blocks) <= 1)
    assert [len(piece.network.blocks) for piece in pieces] == [1, 1, 1, 1]
    X = random.standard_normal((weights[0].shape[1], 3))
    slopes = [random.random((len(W), 1)) for W in weights[:-1]]
    expected = whole.network.jacobian(slopes, X)
    for piece, slope in zip(pieces, slopes, strict=True):
        X = piece.network.jacobian([slope], X)
    assert np.allclose(X, expected)
    ends = [str(piece.norms) for piece in pieces]
    first, last = whole.norms.input.name, whole.norms.output.name
    assert ends == [f"{first}:2", "2:2", "2:2", f"2:{last}"]


def test_cuts_are_where_nothing_jumps_over():
    for seed in range(20):
        network = random_graph(np.random.default_rng(seed), neurons=12, depth=4)
        readers = [*(b.preactivation for b in network.blocks), network.output]
        expected = [k for k in (3, 2, 1) if all(min(r.terms) >= k for r in readers[k:])]
        assert splitting.cuts(network) == expected


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("seed", range(6))
def test_products_are_bounds_and_better_than_norms(seed, pair, monkeypatch):
    weights = random_weights(np.random.default_rng(seed), 4, 12, 2)
    network = chain(weights)
    whole = Part(network, norms.parse(pair)).problem.numbers
    monkeypatch.setattr(memory, "fits", lambda numbers: numbers < 0.8 * whole)
    report = certification.certify(weights, pair)
    assert report.bound >= formal_constant(network, norms.parse(pair)) * (1 - 1e-12)
    assert report.bound <= norm_product(network, norms.parse(pair)) * (1 + 1e-9)
    assert any("parts" in note for note in report.notes)
    assert {o.source for o in report.outputs} <= {"norm product", "2 parts", "3 parts"}


def test_multiplied_is_not_below_the_product():
    assert splitting.multiplied(0.0, np.inf) == 0.0
    left, right = 0.1, 3.0
    exact = Fraction(left) * Fraction(right)
    assert Fraction(splitting.multiplied(left, right)) >= exact
    assert Fraction(splitting.multiplied(1 / 3, 1 / 3)) >= Fraction(1 / 3) ** 2
    assert splitting.multiplied(1e-200, 1e-200) > 0.0
