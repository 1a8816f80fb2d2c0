"""Descent along chains: by definition, and against the interior-point solver."""

import importlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from generators import chain, random_chain, random_graph
from test_verify import dense

from geolip import backend, norms
from geolip.backend import Settings, Status
from geolip.errors import SolverError
from geolip.incumbent import Incumbent
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem

chain_module = importlib.import_module("geolip.solvers._chain")
cone_module = importlib.import_module("geolip.solvers._cone")
descent = importlib.import_module("geolip.solvers._descent")
inside = importlib.import_module("geolip.solvers._inside")
auto, lifted = backend.get("auto"), backend.get("lifted")

CASES = [(seed, norm) for seed in range(8) for norm in ("inf", "2")]


def make(seed: int, norm: str, depth: int = 4, neurons: int = 14) -> Problem:
    random = np.random.default_rng(seed)
    outputs = 1 if norm == "inf" else 2
    network = random_chain(random, neurons, outputs, depth)
    return Problem(reduce(network).network, norms.parse(norm).input)


def deep(norm: str, depth: int, width: int) -> Problem:
    """Return a chain of random layers divided by their spectral norms."""
    random = np.random.default_rng(depth)
    sizes = [width] * (depth + 1) + [1 if norm == "inf" else 3]
    weights = [random.standard_normal((m, n)) for n, m in pairwise(sizes)]
    network = chain([W / np.linalg.norm(W, 2) for W in weights])
    return Problem(network, norms.parse(norm).input)


def started(problem: Problem):
    ones = [np.ones(size) for size in problem.network.sizes]
    start = Multipliers(ones[0], tuple(ones[1:]))
    return chain_module.Chain(problem, *inside.well_inside(problem, start))


def barrier(problem: Problem, point, mu: float) -> float:
    """Return (g + T(tau)) / (2 mu) - log det S by definition."""
    cone = cone_module.Cone(problem, point.multipliers, point.output)
    S = dense(cone.slack(cone.variables(point.multipliers, point.output)))
    scales = np.concatenate([*cone.scales, np.full(cone.sizes[-1], cone.output_scale)])
    S = S / scales[:, None] / scales
    sign, logarithm = np.linalg.slogdet(S)
    assert sign > 0
    budget = problem.norm.budget(point.multipliers.tau)
    return (point.output + budget) / (2 * mu) - logarithm


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_every_pass_descends(seed, norm):
    problem = make(seed, norm)
    point = started(problem)
    mu = point.output / point.order
    values = [barrier(problem, point, mu)]
    for _ in range(6):
        point.descend(mu)
        values.append(barrier(problem, point, mu))
    assert np.isfinite(values).all()
    assert (np.diff(values) <= 1e-9 * np.abs(values[:-1])).all()


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_descent_ends_on_the_central_path(seed, norm):
    """There mu S^-1 meets every constraint of the primal."""
    problem = make(seed, norm, depth=3, neurons=9)
    point = started(problem)
    mu = 0.3 * point.output / point.order
    for _ in range(400):
        point.descend(mu)
    cone = cone_module.Cone(problem, point.multipliers, point.output)
    S = dense(cone.slack(cone.variables(point.multipliers, point.output)))
    residual = cone.gradient(mu * np.linalg.inv(S)) - cone.costs
    assert np.abs(residual).max() <= 1e-5 * cone.costs.max()
    assert point.distance < 1e-3


def test_only_chains_are_chains():
    graph = random_graph(np.random.default_rng(3), neurons=12, depth=4)
    assert not chain_module.is_chain(Problem(graph, norms.parse("inf").input))
    assert chain_module.is_chain(make(0, "inf"))
    linear = chain([np.ones((1, 2))])
    assert not chain_module.is_chain(Problem(linear, norms.parse("inf").input))


def test_a_chain_with_a_linear_layer_is_a_chain():
    network = deep("inf", depth=3, width=4).network
    middle = replace(network.blocks[1], lower=np.ones(4), upper=np.ones(4))
    blocks = (network.blocks[0], middle, network.blocks[2])
    reduced = reduce(replace(network, blocks=blocks)).network
    assert reduced.sizes == (4, 4, 4)
    assert chain_module.is_chain(Problem(reduced, norms.parse("inf").input))


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_deep_chains_are_settled_without_dense_matrices(norm, monkeypatch):
    """40 layers, where lifted multipliers are useless, to one percent."""
    problem = deep(norm, depth=40, width=8)
    monkeypatch.setattr(auto.interior, "is_quick", lambda problem: False)
    judge = Incumbent(problem, accuracy=1e-2)
    blind = Incumbent(problem, accuracy=0.0)
    few = Settings(1e-2, extra={"max_iterations": 320})
    assert lifted.solve(problem, few, blind).value * 1.1 < blind.settle()
    solution = auto.solve(problem, Settings(1e-2), judge)
    assert solution.status is Status.SOLVED
    assert judge.settle() <= 1.01 * solution.value


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_interior_goes_on_from_the_central_path(norm, monkeypatch):
    problem = deep(norm, depth=24, width=6)
    judge = Incumbent(problem, accuracy=1e-5)
    interior = backend.get("interior")
    # The other start is out of reach; it would do after more lifted iterations.
    monkeypatch.setattr(interior._Path, "from_lifted", None)
    few = Settings(1e-5, extra={"max_iterations": 80})
    solution = interior.solve(problem, few, judge)
    assert judge.satisfied
    # The value is one of the primal, below every bound.
    assert solution.value <= judge.settle() <= solution.value * (1 + 1e-5)


def test_time_limit_ends_the_descent():
    problem = deep("2", depth=30, width=6)
    judge = Incumbent(problem, accuracy=1e-12)
    point = lifted.warm_up(problem, Settings(), Incumbent(problem, accuracy=0.0))
    solution = descent.improve(problem, Settings(1e-12, time_limit=0.0), judge, point)
    assert solution.status is Status.TIME_LIMIT


def test_descent_needs_a_lifted_solution():
    problem = make(0, "2")
    nothing = backend.Solution(Status.STALLED)
    with pytest.raises(SolverError, match="lifted"):
        descent.Descent(problem, Settings(), Incumbent(problem), nothing)


def test_an_infeasible_point_is_refused():
    problem = make(0, "2")
    point = started(problem)
    with pytest.raises(np.linalg.LinAlgError):
        chain_module.Chain(problem, point.multipliers.scaled(1e-9), 1e-9 * point.output)
