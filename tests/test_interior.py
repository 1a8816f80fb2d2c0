"""The interior-point solver: its cone by definition, and against the lifted one."""

import importlib

import numpy as np
import pytest
from generators import chain, random_chain, random_graph, random_weights
from oracles import formal_constant
from test_verify import by_definition, dense, random_multipliers

from geolip import backend, norms
from geolip.backend import Settings
from geolip.incumbent import Incumbent
from geolip.presolve import reduce
from geolip.problem import Problem

interior = backend.get("interior")
cone_module = importlib.import_module("geolip.solvers._cone")
inflation = importlib.import_module("geolip.solvers._inflation")


def make(seed: int, norm: str, neurons: int = 9, depth: int | None = None) -> Problem:
    random = np.random.default_rng(seed)
    kind = random_graph if seed % 2 else random_chain
    outputs = 1 if norm == "inf" else 2
    network = reduce(kind(random, neurons, outputs, depth)).network
    return Problem(network, norms.parse(norm).input)


def cone_of(problem: Problem, seed: int = 0):
    start = random_multipliers(np.random.default_rng(seed), problem)
    return cone_module.Cone(problem, start, 3.0)


def constraints(cone) -> np.ndarray:
    """Return all constraint matrices of a cone, from its slack by linearity."""
    size = len(cone.costs)
    zero = dense(cone.slack(np.zeros(size)))
    return np.array([dense(cone.slack(row)) - zero for row in np.eye(size)])


def symmetric(random: np.random.Generator, order: int) -> np.ndarray:
    M = random.standard_normal((order, order))
    return M @ M.T + np.eye(order)


CASES = [(seed, norm) for seed in range(6) for norm in ("inf", "2")]


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_slack_is_the_bordered_matrix(seed, norm):
    """S(y) = [[g I, -C], [-C', B]] in scaled coordinates, multipliers map both ways."""
    problem = make(seed, norm)
    cone = cone_of(problem)
    multipliers = random_multipliers(np.random.default_rng(seed + 1), problem)
    y = cone.variables(multipliers, 7.0)
    back = cone.multipliers(y)
    for mine, theirs in zip(multipliers, back, strict=True):
        assert np.allclose(mine, theirs, rtol=1e-12)
    m = problem.network.output.size
    scale = np.concatenate([*cone.scales, np.full(m, cone.output_scale)])
    N = len(scale) - m
    S = np.zeros((N + m, N + m))
    S[:N, :N] = by_definition(problem, multipliers)
    S[N:, N:] = 7.0 * np.eye(m)
    S[:N, N:] = -np.concatenate(problem.output())
    S[N:, :N] = S[:N, N:].T
    expected = scale[:, None] * S * scale
    assert np.allclose(dense(cone.slack(y)), expected, atol=1e-12 * np.abs(S).max())
    assert cone.costs @ y == pytest.approx(
        (7.0 + problem.norm.budget(multipliers.tau)) / 2
    )


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_newton_matrix_and_gradients_are_traces(seed, norm):
    cone = cone_of(make(seed, norm))
    random = np.random.default_rng(seed)
    A = constraints(cone)
    X, Z = symmetric(random, cone.order), symmetric(random, cone.order)
    M = random.standard_normal((cone.order, cone.order))
    gradient = np.einsum("kij,ji->k", A, M)
    assert np.allclose(cone.gradient(M), gradient, atol=1e-10 * np.abs(gradient).max())
    expected = np.einsum("aij,jk,bkl,li->ab", A, X, A, Z, optimize=True)
    found = cone.schur(cone.grams(X), cone.grams(Z))
    # The direction's matrix is symmetric in exact arithmetic.
    assert np.allclose(found, (expected + expected.T) / 2, rtol=1e-8, atol=1e-8)
    dy = random.standard_normal(len(cone.costs))
    dS = np.einsum("k,kij->ij", dy, A)
    assert np.allclose(cone.slack_times(dy, X, cone.read(X)), dS @ X, atol=1e-8)
    slack = cone.slack(dy)
    assert cone.inner(X, slack) == pytest.approx(np.vdot(X, dense(slack)), rel=1e-8)


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_inflated_points_are_strictly_feasible(seed, norm):
    """tr(A_i X) equals the cost of every variable, and X is positive definite."""
    problem = make(seed, norm)
    cone = cone_of(problem)
    judge = Incumbent(problem)
    lifted = backend.get("lifted")
    point = lifted.solve(problem, Settings(extra={"max_iterations": 20}), judge)
    V = inflation.inflated(cone, point.vectors)
    X = 0.5 * (V @ V.T)
    assert np.allclose(cone.gradient(X), cone.costs, atol=1e-10 * cone.costs.max())
    assert np.linalg.eigvalsh(X)[0] > 0


def solved(solver: str, problem: Problem, accuracy: float):
    judge = Incumbent(problem, accuracy=accuracy)
    solution = backend.get(solver).solve(problem, Settings(accuracy), judge)
    return solution.value, judge.settle()


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("seed", range(25))
def test_three_methods_agree(seed, norm):
    """Fifty networks of depth 1 to 12, graphs and mixed sectors, to 1e-6.

    Brute force and every value <= every bound.
    """
    depth = 1 + seed % 12
    problem = make(seed, norm, neurons=8 + depth, depth=depth)
    value, bound = solved("lifted", problem, 1e-7)
    # Without the warm-up's own certificate, so that interior has work to do.
    judge = Incumbent(problem, accuracy=1e-7)
    lifted = backend.get("lifted")
    blind = Incumbent(problem, accuracy=0.0)
    point = lifted.solve(problem, Settings(extra={"max_iterations": 30}), blind)
    solution = interior.improve(problem, Settings(1e-7), judge, point)
    inner = judge.settle()
    other = Incumbent(problem, accuracy=1e-7)
    backend.get("clarabel").solve(problem, Settings(1e-7), other)
    third = other.settle()
    best = max(value, solution.value)
    least = min(bound, inner, third)
    assert best <= least
    assert least == pytest.approx(best, rel=1e-6)
    assert inner == pytest.approx(best, rel=1e-6)
    assert third == pytest.approx(best, rel=1e-4)
    if sum(problem.network.sizes[1:]) <= 12:
        exact = formal_constant(problem.network, norms.parse(f"{norm}:2"))
        assert exact <= least


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("depth", [8, 12])
def test_deep_networks_are_settled(norm, depth):
    """Where lifted's multipliers do not converge, auto hands over."""
    random = np.random.default_rng(depth)
    outputs = 1 if norm == "inf" else 2
    weights = random_weights(random, depth, 8 * depth, outputs)
    problem = Problem(chain(weights), norms.parse(norm).input)
    problem = Problem(reduce(problem.network).network, problem.norm)
    value, bound = solved("auto", problem, 1e-6)
    assert value <= bound <= value * (1 + 1e-5)


def test_problems_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(interior, "fits_in_memory", lambda numbers: False)
    with pytest.raises(importlib.import_module("geolip.errors").SolverError):
        interior.solve(make(0, "inf"), Settings(), Incumbent(make(0, "inf")))
