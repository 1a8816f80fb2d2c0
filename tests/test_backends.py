"""One conformance suite for every solver in the folder, plus an adversarial one."""

import os
import signal

import numpy as np
import pytest
from generators import chain, random_chain, random_graph, random_weights
from oracles import formal_constant
from test_verify import by_definition, random_multipliers

from geolip import backend, certification, memory, norms
from geolip.backend import Settings, Solution, Status
from geolip.conic import conic
from geolip.errors import SolverError, SolverUnavailableError, UsageError
from geolip.incumbent import Incumbent
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem

# Solvers that must work wherever the tests run; only a licence may keep others away.
EXPECTED = {"lifted", "scs", "clarabel"}


def make(seed: int, norm: str) -> Problem:
    random = np.random.default_rng(seed)
    kind = random_graph if seed % 2 else random_chain
    outputs = 1 if norm == "inf" else 2
    network = reduce(kind(random, neurons=8, outputs=outputs)).network
    return Problem(network, norms.parse(norm).input)


def judge_of(problem: Problem, accuracy: float = 1e-7) -> Incumbent:
    return Incumbent(problem, accuracy=accuracy)


@pytest.fixture(params=backend.names())
def solver(request):
    engine = backend.get(request.param)
    if (reason := engine.usable()) is not None:
        assert request.param not in EXPECTED, reason
        pytest.skip(f"{request.param}: {reason}")
    return engine


def test_the_folder_holds_what_is_promised():
    assert set(backend.names()) >= EXPECTED | {"mosek"}


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("seed", range(4))
def test_all_solvers_agree(solver, seed, norm):
    """Multipliers of every solver verify, near the same value."""
    problem = make(seed, norm)
    exact = formal_constant(problem.network, norms.parse(f"{norm}:2"))
    reference = judge_of(problem)
    best = backend.get("lifted").solve(problem, Settings(1e-7), reference)
    judge = judge_of(problem)
    solution = solver.solve(problem, Settings(accuracy=1e-7), judge)
    judge.consider(solution.multipliers, solution.value)
    reference.settle()
    judge.settle()
    assert judge.bound >= exact
    assert judge.bound <= reference.bound * (1 + 1e-4)
    # Triangles make the relaxation tighter.
    if not solver.__name__.endswith("triangles"):
        assert judge.bound >= reference.bound * (1 - 1e-4)
    # Their own objective is only as good as their residuals.
    assert solution.value == pytest.approx(best.value, rel=1e-3)
    assert isinstance(solution.status, Status)


def test_unreachable_accuracy_ends_by_itself(solver):
    problem = make(0, "inf")
    judge = judge_of(problem)
    try:
        solution = solver.solve(problem, Settings(accuracy=1e-16, time_limit=5), judge)
        judge.consider(solution.multipliers)
    except SolverError:
        pass
    assert np.isfinite(judge.settle())


def test_no_time_still_gives_a_bound_or_a_solver_error(solver):
    random = np.random.default_rng(3)
    network = chain(random_weights(random, 3, 40, 1))
    problem = Problem(reduce(network).network, norms.parse("inf").input)
    judge = judge_of(problem)
    try:
        solution = solver.solve(problem, Settings(1e-9, time_limit=1e-6), judge)
        judge.consider(solution.multipliers)
    except SolverError:
        pass
    assert np.isfinite(judge.settle())


def test_unknown_options_are_refused_in_our_words(solver):
    problem = make(0, "inf")
    settings = Settings(extra={"no_such_option": 1})
    with pytest.raises((UsageError, SolverError)):
        solver.solve(problem, settings, judge_of(problem))


def test_lifted_is_deterministic_for_a_seed():
    problem = make(1, "inf")
    first, second = (
        backend.get("lifted").solve(problem, Settings(1e-6, seed=5), judge_of(problem))
        for _ in range(2)
    )
    assert first.value == second.value
    assert first.iterations == second.iterations


def test_unknown_solver():
    with pytest.raises(UsageError, match="lifted"):
        backend.get("_cvxpy")


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("seed", range(6))
def test_conic_form_is_the_bordered_matrix(seed, norm):
    """Its matrix is [[g I, -C], [-C', B]] up to the scaling by powers of two."""
    problem = make(seed, norm)
    program = conic(problem)
    random = np.random.default_rng(seed)
    y = random.uniform(0.5, 2.0, len(program.cost))
    order, m = program.order, problem.network.output.size
    M = (program.matrix @ y + program.constant).reshape(order, order)
    multipliers = program.multipliers(y)
    scale = np.concatenate(program.scales)
    B = scale[:, None] * by_definition(problem, multipliers) * scale
    C = np.concatenate(problem.output()).T * scale
    assert np.allclose(M[m:, m:] * program.output_scale, B, rtol=1e-12, atol=1e-12)
    assert np.allclose(-M[:m, m:] * program.output_scale, C, rtol=1e-12, atol=1e-12)
    assert np.allclose(M[:m, :m], y[0] * np.eye(m))
    budget = problem.norm.budget(multipliers.tau) / program.output_scale
    assert program.cost @ y == pytest.approx((y[0] + budget) / 2)


def test_layers_tied_are_looser_than_neurons():
    """LipSDP-Neuron <= LipSDP-Layer <= norm product, the second by CVXPY."""
    import cvxpy as cp

    for seed in range(4):
        random = np.random.default_rng(seed)
        network = chain(random_weights(random, 2, 9, 2))
        problem = Problem(reduce(network).network, norms.parse("2").input)
        judge = judge_of(problem)
        value = backend.get("lifted").solve(problem, Settings(1e-6), judge).value
        program = conic(problem)
        # Scales are the same for all neurons of a layer, so one variable a layer ties
        # d.
        sizes = problem.network.sizes[1:]
        layer = np.repeat(np.arange(len(sizes)), sizes)
        tie = np.zeros((len(program.cost), 2 + len(sizes)))
        tie[0, 0] = tie[1, 1] = 1.0
        tie[np.arange(2, len(tie)), 2 + layer] = 1.0
        y = cp.Variable(tie.shape[1], nonneg=True)
        M = cp.reshape(
            (program.matrix @ tie) @ y + program.constant,
            (program.order, program.order),
            order="C",
        )
        task = cp.Problem(cp.Minimize((program.cost @ tie) @ y), [M >> 0])
        tied = program.value(task.solve(solver="CLARABEL"))
        product = np.prod(
            [
                np.linalg.norm(A.dense(), 2)
                for reading in (
                    *(b.preactivation for b in network.blocks),
                    network.output,
                )
                for A in reading.terms.values()
            ]
        )
        assert value <= tied * (1 + 1e-6)
        assert tied <= product * (1 + 1e-6)


class Adversary:
    """A backend that does what it is told, in the worst way."""

    def __init__(self, act):
        self.act = act

    def usable(self):
        return None

    def solve(self, problem, settings, judge):
        return self.act(problem, judge)


def _raise(error):
    def act(problem, judge):
        raise error

    return act


def _answer(spoil, value=0.0):
    def act(problem, judge):
        good = random_multipliers(np.random.default_rng(0), problem)
        return Solution(Status.SOLVED, spoil(good), value, 1)

    return act


def _interrupt(problem, judge):
    os.kill(os.getpid(), signal.SIGINT)
    return Solution(Status.SOLVED)


ATTACKS = {
    "exception": _raise(RuntimeError("boom")),
    "memory": _raise(MemoryError()),
    "solver error": _raise(SolverError("no point")),
    "nothing": _answer(lambda m: None, None),
    "nan": _answer(lambda m: Multipliers(m.tau * np.nan, m.d), float("nan")),
    "infinite": _answer(lambda m: Multipliers(m.tau + np.inf, m.d), float("inf")),
    "negative": _answer(lambda m: Multipliers(-m.tau, m.d), -1.0),
    "zeros": _answer(lambda m: Multipliers(0 * m.tau, tuple(0 * d for d in m.d))),
    "shape": _answer(lambda m: Multipliers(m.tau[1:], m.d)),
    "layers": _answer(lambda m: Multipliers(m.tau, m.d[:-1])),
    "swapped": _answer(lambda m: Multipliers(m.tau, m.d[::-1])),
    "too small": _answer(lambda m: Multipliers(1e-9 * m.tau, m.d), 1e-9),
    "interrupt": _interrupt,
}


def only_auto(monkeypatch, act):
    """Put an adversary in the place of the default solver."""
    real, fake = backend.get, Adversary(act)
    monkeypatch.setattr(
        backend, "get", lambda name: fake if name == "auto" else real(name)
    )


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_whatever_a_solver_does_the_bound_holds(attack, norm, monkeypatch):
    random = np.random.default_rng(7)
    weights = random_weights(random, 2, 8, 2)
    exact = formal_constant(chain(weights), norms.parse(norm))
    only_auto(monkeypatch, ATTACKS[attack])
    report = certification.certify(weights, norm)
    assert report.bound >= exact
    assert report.bound <= 1e6 * exact
    assert report.lower_bound <= exact
    report.to_json()


def test_an_unusable_solver_is_one_clear_error(monkeypatch):
    engine = backend.get("mosek")
    monkeypatch.setattr(engine, "usable", lambda: "no licence: buy one")
    with pytest.raises(SolverUnavailableError, match="no licence") as caught:
        certification.certify([np.eye(2)], "inf", solver="mosek")
    assert caught.value.exit_code == 4


def test_mosek_licence_errors_are_renamed(monkeypatch):
    """What MOSEK raises without a licence arrives as one line with advice."""
    engine = backend.get("mosek")

    def refuse(*_):
        raise SolverError("mosek failed: rescode.err_missing_license_file(1008)")

    monkeypatch.setattr(engine, "solve_with", refuse)
    with pytest.raises(SolverUnavailableError, match="MOSEKLM_LICENSE_FILE"):
        engine.solve(make(0, "inf"), Settings(), judge_of(make(0, "inf")))


def test_after_an_interrupt_all_other_outputs_are_bounded_well(monkeypatch):
    random = np.random.default_rng(11)
    weights = random_weights(random, 2, 10, 3)
    expected = certification.certify(weights, "inf", rows="all")
    only_auto(monkeypatch, _interrupt)
    report = certification.certify(weights, "inf")
    assert "interrupted" in report.notes[0]
    assert {output.status for output in report.outputs} == {"interrupted"}
    for found, output in zip(report.outputs[1:], expected.outputs[1:], strict=True):
        assert output.bound <= found.bound * (1 + 1e-6)
    close = [
        f.bound <= 1.5 * o.bound
        for f, o in zip(report.outputs, expected.outputs, strict=True)
    ]
    assert sum(close) >= 2


def test_what_does_not_fit_gets_the_norm_product_and_says_so(monkeypatch):
    weights = random_weights(np.random.default_rng(0), 2, 8, 1)
    exact = formal_constant(chain(weights), norms.parse("inf"))
    assert memory.fits(1e3)
    assert not memory.fits(1e15)
    monkeypatch.setattr(memory, "fits", lambda numbers: False)
    report = certification.certify(weights, "inf")
    assert report.bound >= exact
    assert report.outputs[0].source in ("norm product", "2 parts")
    assert "2 of them by their norm product" in report.notes[0]
    assert "do not fit" in report.notes[0]
