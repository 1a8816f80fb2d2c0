"""Triangle inequalities: valid on the cube, sound in every checker, and worth it."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from generators import chain, random_chain, random_graph, random_weights
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import formal_constant, jacobians
from test_verify import random_multipliers

from geolip import backend, norms
from geolip.backend import Settings
from geolip.errors import RefusedCertificateError
from geolip.exact.decision import proved_square
from geolip.incumbent import Incumbent
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.sweep import interior_point
from geolip.triangles import Triangles
from geolip.verify import round_multipliers, verified_bound


def random_triangles(
    random: np.random.Generator, size: int, count: int, largest: float = 1.0
) -> Triangles:
    corners = np.array([random.permutation(size)[:3] for _ in range(count)])
    signs = random.choice([-1.0, 1.0], (count, 3))
    return Triangles(size, corners, signs, random.uniform(0, largest, count))


def by_definition(triangles: Triangles) -> np.ndarray:
    """Return the off-diagonal part of ``-sum w b b'``."""
    B = np.zeros((triangles.size, triangles.size))
    for corners, signs, weight in zip(
        triangles.corners, triangles.signs, triangles.weights, strict=True
    ):
        b = np.zeros(triangles.size)
        b[corners] = signs
        B -= weight * (np.outer(b, b) - np.diag(b**2))
    return B


@given(seed=st.integers(0, 10**6), size=st.integers(3, 7), count=st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_the_budget_bounds_the_form_on_the_cube_and_is_reached(seed, size, count):
    random = np.random.default_rng(seed)
    triangles = random_triangles(random, size, count)
    corners = np.array(list(product([-1.0, 1.0], repeat=size)))
    inside = random.uniform(-1, 1, (50, size))
    for X in (corners, inside):
        forms = np.einsum("ij,jk,ik->i", X, triangles.matrix(), X)
        assert (forms <= triangles.budget() * (1 + 1e-12)).all()
    one = triangles.chosen(np.arange(count) == 0)
    forms = np.einsum("ij,jk,ik->i", corners, one.matrix(), corners)
    assert forms.max() == pytest.approx(one.budget())


@given(seed=st.integers(0, 10**6), size=st.integers(3, 7), count=st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_all_forms_of_the_matrix_agree(seed, size, count):
    random = np.random.default_rng(seed)
    triangles = random_triangles(random, size, count) if count else Triangles.none(size)
    expected = by_definition(triangles)
    assert np.allclose(triangles.matrix(), expected, atol=1e-12)
    assert (np.abs(expected) <= triangles.absolute() + 1e-12).all()
    # Entries of a layer are single weights: nothing was added, so nothing rounded.
    layers = list(triangles.layers())
    assert len(layers) == triangles.overlap
    weights = np.concatenate([[0.0], triangles.weights, -triangles.weights])
    assert all(np.isin(layer, weights).all() for layer in layers)
    assert np.allclose(sum(layers, np.zeros((size, size))), expected, atol=1e-12)
    X = random.standard_normal((size, 3))
    loads = triangles.loads()
    assert np.allclose(triangles.pull(X) - loads[:, None] * X, -expected @ X)
    assert triangles.budget() == pytest.approx(float(triangles.exact_budget()))


def test_sums_of_weights_count_as_rounded():
    """An entry of B that three triangles share carries two roundings at the least."""
    corners = np.array([[0, 1, 2], [1, 0, 3], [2, 1, 0]])
    triangles = Triangles(4, corners, np.ones((3, 3)), np.ones(3))
    assert triangles.overlap == 3
    for sector in ((0.0, 1.0), (-0.5, 1.0)):
        network = chain([np.ones((1, 4), dtype=np.float32), np.ones((1, 1))], sector)
        problem = Problem(network, norms.parse("inf").input)
        plain = Multipliers(np.ones(4), (np.ones(1),))
        with_them = replace(plain, triangles=triangles)
        assert problem.roundings(with_them) >= problem.roundings(plain) + 2


def test_vectors_at_120_degrees_violate_by_a_half():
    angles = 2 * np.pi * np.arange(3) / 3
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    triangles = Triangles(3, np.arange(3)[None], np.ones((1, 3)), np.ones(1))
    assert triangles.violations(X) == pytest.approx([0.5])
    assert triangles.violations(np.sign(X[:, 1:] + 0.1)) == pytest.approx([0.0])


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("kind", [random_chain, random_graph])
@pytest.mark.parametrize("seed", range(12))
def test_any_triangles_give_a_bound_in_both_checkers(kind, norm, seed):
    """Whatever the weights are, floats and integers prove no less than the FGL."""
    random = np.random.default_rng([seed, len(norm)])
    pair = norms.parse((norm, "2"))
    network = reduce(kind(random, neurons=8)).network
    while network.input_size < 3:
        network = reduce(kind(random, neurons=8)).network
    problem = Problem(network, pair.input)
    multipliers = interior_point(problem).scaled_tau(2.0)
    # Some large enough to matter, all small enough for B to stay definite.
    largest = float(multipliers.tau.min()) / 20
    triangles = random_triangles(random, network.input_size, 4, largest)
    multipliers = round_multipliers(replace(multipliers, triangles=triangles))
    bound = verified_bound(problem, multipliers)
    exact = formal_constant(network, pair)
    square = proved_square(network, pair.input, multipliers)
    assert exact <= bound
    assert exact**2 * (1 - 1e-12) <= square <= bound**2
    assert float(square) == pytest.approx(bound**2, rel=1e-6)


SPOILS = {
    "a corner twice": lambda t: replace(t, corners=t.corners[:, [0, 0, 1]]),
    "a corner outside": lambda t: replace(t, corners=t.corners + 6),
    "a corner below": lambda t: replace(t, corners=t.corners - 6),
    "a larger sign": lambda t: replace(t, signs=2 * t.signs),
    "no sign": lambda t: replace(t, signs=0 * t.signs),
    "a negative weight": lambda t: t.scaled(-1.0),
    "NaN": lambda t: t.scaled(np.nan),
    "infinity": lambda t: t.scaled(np.inf),
    "another size": lambda t: replace(t, size=t.size + 1),
    "a shape": lambda t: replace(t, signs=t.signs[:, :2]),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_no_triangle_proves_nothing(spoil):
    random = np.random.default_rng(0)
    network = reduce(chain([random.standard_normal((4, 6)), np.ones((1, 4))])).network
    problem = Problem(network, norms.parse("inf").input)
    multipliers = random_multipliers(random, problem)
    triangles = random_triangles(random, 6, 3, 1e-3)
    good = replace(multipliers, triangles=triangles)
    assert verified_bound(problem, good) is not None
    bad = replace(multipliers, triangles=SPOILS[spoil](triangles))
    assert verified_bound(problem, bad) is None
    with pytest.raises(RefusedCertificateError):
        proved_square(network, problem.norm, bad)


def brute_force(network) -> float:
    """Return the FGL of one output with many inputs, where corners are too many."""
    ends = [
        (a, b)
        for block in network.blocks
        for a, b in zip(block.lower, block.upper, strict=True)
    ]
    patterns = np.array(list(product(*ends)))
    cuts = np.cumsum([block.size for block in network.blocks])[:-1]
    J = jacobians(network, np.split(patterns, cuts, axis=1))
    return float(np.abs(J).sum(axis=2).max())


def closed(network) -> tuple[float, float]:
    """Return the gap to the FGL without triangles, and the share that they close."""
    problem = Problem(reduce(network).network, norms.parse("inf").input)
    bounds = []
    for name in ("lifted", "triangles"):
        judge = Incumbent(problem, accuracy=1e-6)
        solution = backend.get(name).solve(problem, Settings(1e-6), judge)
        judge.consider(solution.multipliers)
        bounds.append(judge.settle())
    exact = brute_force(network)
    assert exact <= bounds[1] <= bounds[0] * (1 + 1e-9)
    gap = bounds[0] / exact - 1
    return gap, (bounds[0] - bounds[1]) / (bounds[0] - exact)


@pytest.mark.parametrize("shape", [(8, 8), (6, 5, 5)])
def test_a_tenth_of_the_gap_closes_and_no_bound_is_below_the_truth(shape):
    shares = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        shapes = pairwise([*shape, 1])
        network = chain([random.standard_normal((m, n)) for n, m in shapes])
        gap, share = closed(network)
        if gap > 1e-3:
            shares.append(share)
    assert len(shares) >= 4
    assert np.median(shares) > 0.1


def test_with_many_inputs_a_sample_of_triangles_will_do():
    """Sparse rows: what no neuron reads together, or at all, is never drawn."""
    random = np.random.default_rng(2)
    first = random.standard_normal((9, 120)) * (random.random((9, 120)) < 0.3)
    first[0] = 0.0
    first[0, :2] = 1.0
    gap, share = closed(chain([first, random.standard_normal((1, 9))]))
    assert gap > 1e-3
    assert share > 0.1


def test_without_enough_inputs_or_in_l2_there_is_nothing_to_add():
    for sizes, norm in ((2, "inf"), (5, "2")):
        random = np.random.default_rng(1)
        weights = random_weights(random, 1, 6, 1)
        weights[0] = random.standard_normal((len(weights[0]), sizes))
        problem = Problem(reduce(chain(weights)).network, norms.parse(norm).input)
        judge = Incumbent(problem)
        solution = backend.get("triangles").solve(problem, Settings(), judge)
        judge.consider(solution.multipliers)
        assert judge.settle() >= formal_constant(chain(weights), norms.parse(norm))
        assert not judge.multipliers.triangles
