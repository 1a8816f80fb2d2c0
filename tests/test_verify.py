"""The verifier: whatever it is given, what it calls a bound is one."""

import numpy as np
import pytest
from generators import chain, random_chain, random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import formal_constant

from geolip import norms, verify
from geolip.blocks import BlockMatrix
from geolip.incumbent import Incumbent
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.verify import round_multipliers, verified_bound


def dense(matrix: BlockMatrix) -> np.ndarray:
    """Return a block matrix as one array."""
    identity = np.eye(sum(matrix.sizes))
    columns = np.split(identity, np.cumsum(matrix.sizes)[:-1])
    return np.concatenate(matrix.apply(columns))


def by_definition(problem: Problem, multipliers: Multipliers) -> np.ndarray:
    """Return B(tau, D) neuron by neuron, as the theorem states it."""
    sizes = problem.network.sizes
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    B = np.zeros((offsets[-1], offsets[-1]))
    B[: sizes[0], : sizes[0]] = np.diag(multipliers.tau)
    for k, block in enumerate(problem.network.blocks, 1):
        W = np.zeros((block.size, offsets[-1]))
        for j, A in block.preactivation.terms.items():
            W[:, offsets[j] : offsets[j + 1]] = A.dense()
        for i in range(block.size):
            a, b, d = block.lower[i], block.upper[i], multipliers.d[k - 1][i]
            e = np.zeros(offsets[-1])
            e[offsets[k] + i] = 1.0
            w = W[i]
            cross = np.outer(e, w) + np.outer(w, e)
            square = a * b * np.outer(w, w)
            B += 2 * d * (np.outer(e, e) - (a + b) / 2 * cross + square)
    return B


def random_multipliers(random: np.random.Generator, problem: Problem) -> Multipliers:
    """Return positive multipliers of many sizes; l_2 inputs share one."""
    sizes = problem.network.sizes
    tau = 10.0 ** random.uniform(-2, 3, sizes[0])
    if problem.norm.name == "2":
        tau = np.full(sizes[0], tau[0])
    return Multipliers(tau, tuple(10.0 ** random.uniform(-3, 1, n) for n in sizes[1:]))


def small_problem(seed: int, norm: str) -> Problem:
    random = np.random.default_rng(seed)
    kind = random_graph if seed % 2 else random_chain
    network = reduce(kind(random, neurons=8, outputs=1 + seed % 3)).network
    return Problem(network, norms.parse(norm).input)


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("seed", range(10))
def test_matrix_equals_its_definition(seed, norm):
    problem = small_problem(seed, norm)
    multipliers = random_multipliers(np.random.default_rng(seed), problem)
    expected = by_definition(problem, multipliers)
    scale = np.abs(expected).max()
    assert np.allclose(dense(problem.matrix(multipliers)), expected, atol=1e-13 * scale)
    columns = [np.ones((n, 1)) for n in problem.network.sizes]
    majorant = np.concatenate(problem.majorant(multipliers, columns))[:, 0]
    assert (majorant * (1 + 1e-12) >= np.abs(expected).sum(axis=1)).all()


@given(seed=st.integers(0, 10**6), norm=st.sampled_from(["inf", "2"]))
@settings(max_examples=150, deadline=None)
def test_any_multipliers_give_a_valid_bound_or_none(seed, norm):
    problem = small_problem(seed, norm)
    multipliers = random_multipliers(np.random.default_rng(seed), problem)
    pair = norms.parse(f"{norm}:2")
    exact = formal_constant(problem.network, pair)
    for scaled in (multipliers, multipliers.scaled_tau(1e3)):
        bound = verified_bound(problem, scaled)
        assert bound is None or bound >= exact
        if bound is None:
            continue
        # The closed form in dense arithmetic: the verifier is also not loose.
        C = np.concatenate(problem.output())
        form = C.T @ np.linalg.solve(by_definition(problem, scaled), C)
        expected = np.sqrt(
            problem.norm.budget(scaled.tau) * np.linalg.eigvalsh(form)[-1]
        )
        assert bound == pytest.approx(expected, rel=1e-6)


@given(seed=st.integers(0, 10**6), norm=st.sampled_from(["inf", "2"]))
@settings(max_examples=100, deadline=None)
def test_indefinite_matrices_are_refused(seed, norm):
    problem = small_problem(seed, norm)
    multipliers = random_multipliers(np.random.default_rng(seed), problem)
    B = by_definition(problem, multipliers)
    scale = 1 / np.sqrt(np.abs(np.diagonal(B)))
    least = np.linalg.eigvalsh(scale[:, None] * B * scale)[0]
    if least < -1e-13:
        assert verified_bound(problem, multipliers) is None


GARBAGE = [
    lambda m: None,
    lambda m: Multipliers(np.full_like(m.tau, np.nan), m.d),
    lambda m: Multipliers(m.tau, tuple(np.full_like(d, np.inf) for d in m.d)),
    lambda m: Multipliers(-m.tau, tuple(-d for d in m.d)),
    lambda m: Multipliers(np.zeros_like(m.tau), tuple(np.zeros_like(d) for d in m.d)),
    lambda m: Multipliers(m.tau[:-1], m.d),
    lambda m: Multipliers(m.tau, m.d[:-1]),
    lambda m: Multipliers(m.tau, m.d[::-1]),
    lambda m: Multipliers(m.tau[:, None], m.d),
    lambda m: Multipliers(1e-300 * m.tau, m.d),
    lambda m: Multipliers(m.tau, tuple(1e300 * d for d in m.d)),
    lambda m: Multipliers(m.tau, tuple(np.where(d < d.max(), 0, d) for d in m.d)),
]


@pytest.mark.parametrize("spoil", GARBAGE)
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_garbage_is_refused_by_the_verifier_and_mended_by_repair(spoil, norm):
    for seed in range(6):
        problem = small_problem(seed, norm)
        exact = formal_constant(problem.network, norms.parse(f"{norm}:2"))
        good = random_multipliers(np.random.default_rng(seed), problem)
        spoiled = spoil(good)
        if spoiled is not None:
            with np.errstate(all="ignore"):
                bound = verified_bound(problem, spoiled)
            assert bound is None or bound >= exact
        judge = Incumbent(problem)
        judge.consider(spoiled)
        assert exact <= judge.settle() < np.inf


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_rounded_multipliers_have_24_significant_bits(value):
    one = np.array([value])
    rounded = float(round_multipliers(Multipliers(one, ())).tau[0])
    mantissa, _ = np.frexp(rounded)
    assert float(mantissa * 2**24).is_integer()
    assert rounded == pytest.approx(value, rel=2.0**-24)


def test_a_network_without_hidden_layers_is_exact():
    random = np.random.default_rng(0)
    W = random.standard_normal((3, 5))
    row = Problem(chain([W[:1]]), norms.parse("inf").input)
    bound = verified_bound(row, Multipliers(np.abs(W[0]), ()))
    assert bound == pytest.approx(np.abs(W[0]).sum(), rel=1e-12)
    assert bound >= np.abs(W[0]).sum()
    whole = Problem(chain([W]), norms.parse("2").input)
    bound = verified_bound(whole, Multipliers(np.ones(5), ()))
    assert bound == pytest.approx(np.linalg.norm(W, 2), rel=1e-12)
    assert bound >= np.linalg.norm(W, 2)


@pytest.mark.parametrize("seed", range(6))
def test_a_wrong_solution_costs_the_bound_not_its_truth(seed, monkeypatch):
    """As a faulty library might solve B X = C'."""
    problem = small_problem(seed, "inf")
    multipliers = random_multipliers(np.random.default_rng(seed), problem)
    multipliers = multipliers.scaled_tau(1e3)
    bound = verified_bound(problem, multipliers)
    if bound is None:
        return
    real = verify.solution
    for factor in (0.9, 1 + 1e-5, 2.0):
        monkeypatch.setattr(
            verify, "solution", lambda *a, f=factor: [f * x for x in real(*a)]
        )
        found = verified_bound(problem, multipliers)
        assert found is None or found >= bound * (1 - 1e-11)
