"""Networks in parts: where they may be cut, and that products are bounds."""

from fractions import Fraction

import numpy as np
import pytest
from generators import chain, random_graph, random_weights
from oracles import formal_constant

from geolip import backend, certification, memory, norms, splitting
from geolip.backend import Settings
from geolip.bounds.norm_product import norm_product
from geolip.incumbent import Incumbent, Look
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


def solved(problem) -> float:
    judge = Incumbent(problem, accuracy=1e-4)
    backend.get("auto").solve(problem, Settings(1e-4), judge)
    return judge.settle()


GRAPHS = [
    seed
    for seed in range(60)
    if splitting.cuts(random_graph(np.random.default_rng(seed), 11, 2, 4))
][:8]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("seed", GRAPHS)
@pytest.mark.parametrize("largest", [0, 3])
def test_products_over_graphs_are_bounds(seed, pair, largest):
    """Also where no part fits, and all of them get their norm products."""
    network = random_graph(np.random.default_rng(seed), 11, 2, 4)

    def fits(problem) -> bool:
        return len(problem.network.blocks) <= largest

    pieces = splitting.parts(Part(network, norms.parse(pair)), fits)
    assert len(pieces) > 1
    product = 1.0
    for piece in pieces:
        own = splitting.bounded(piece, fits, solved)
        assert own >= formal_constant(piece.network, piece.norms) * (1 - 1e-12)
        product = splitting.multiplied(product, own)
    assert product >= formal_constant(network, norms.parse(pair)) * (1 - 1e-12)


def test_a_network_that_does_not_move_is_bounded_by_zero():
    weights = [np.ones((2, 2)), np.zeros((2, 2)), np.ones((2, 2)), np.ones((1, 2))]
    whole = Part(chain(weights), norms.parse("2"))
    (piece,) = splitting.parts(whole, lambda problem: len(problem.network.blocks) <= 1)
    assert splitting.bounded(piece, lambda _: True, solved) == 0.0


def test_looks_are_about_outputs_not_parts(monkeypatch):
    """A part's bound is none of the network: nothing may store it as one."""
    weights = random_weights(np.random.default_rng(0), 4, 12, 2)
    whole = Part(chain(weights), norms.parse("inf")).problem.numbers
    monkeypatch.setattr(memory, "fits", lambda numbers: numbers < 0.8 * whole)
    seen = []
    certification.certify(weights, "inf", progress=seen.append)
    assert any("part 1 of" in str(what) for what in seen)
    assert not any(isinstance(what, Look) for what in seen)
