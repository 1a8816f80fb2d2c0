"""The bound that a solver finds of a whole network, when time is over or it fails."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from generators import chain
from oracles import formal_constant

from geolip import backend, layered, norms, settling
from geolip.backend import Settings, Status
from geolip.errors import SolverError


def gaussian(sizes, seed=0):
    random = np.random.default_rng(seed)
    return [random.standard_normal((m, n)) for n, m in pairwise(sizes)]


def test_pieces_that_are_left_are_told(monkeypatch):
    """However well the one bound that covers them was found."""
    clock = SimpleNamespace(now=0.0)

    class Slow:
        def solve(self, problem, settings, judge):
            clock.now += 4.0
            return backend.get("auto").solve(problem, Settings(), judge)

    fake = SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr(settling, "time", fake)
    weights, limited = gaussian((4, 6, 5)), Settings(time_limit=10.0)
    found = settling.settled(chain(weights), norms.parse("inf"), limited, Slow())
    assert found.note == "stopped at the time limit"


class Stopped:
    """A solver that is interrupted at one of its problems, and then runs on."""

    def __init__(self, number=2):
        self.problems, self.number = [], number

    def usable(self):
        return None

    def solve(self, problem, settings, judge):
        self.problems.append(problem)
        if len(self.problems) == self.number:
            raise KeyboardInterrupt
        return backend.get("auto").solve(problem, settings, judge)


@pytest.mark.parametrize("norm", ["inf", "1:inf", "1", "1:2"])
def test_after_an_interrupt_one_bound_covers_the_rest(norm):
    weights, pair = gaussian((4, 6, 5)), norms.parse(norm)
    engine = Stopped()
    found = settling.settled(chain(weights), pair, Settings(), engine)
    assert found.note == "interrupted"
    assert len(engine.problems) == 3
    if norm == "inf":
        assert engine.problems[-1].network.output.size == 3
    assert formal_constant(chain(weights), pair) <= found.bound < np.inf


@pytest.mark.parametrize("number", [1, 2, 3])
def test_where_time_is_limited_the_whole_comes_first(number):
    """After an interrupt there is no time for one more problem."""
    weights, pair, engine = gaussian((4, 6, 5)), norms.parse("inf"), Stopped(number)
    found = settling.settled(chain(weights), pair, Settings(time_limit=60.0), engine)
    assert found.note == "interrupted"
    assert len(engine.problems) == number
    assert engine.problems[0].network.output.size == 5
    assert formal_constant(chain(weights), pair) <= found.bound < np.inf


def test_an_interrupt_after_the_time_limit_is_the_end_of_time():
    engine, limited = Stopped(1), Settings(time_limit=1e-9)
    for norm in ("inf", "2"):
        found = settling.settled(
            chain(gaussian((4, 6, 5))), norms.parse(norm), limited, engine
        )
        assert found.status is Status.TIME_LIMIT
        engine.problems.clear()


def test_an_interrupt_while_a_bound_is_made_better_leaves_the_bound(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    # No bound is good enough to be left as it is.
    monkeypatch.setattr("geolip.incumbent._POOR", 0.0)
    monkeypatch.setattr("geolip.incumbent.rescued", interrupted)
    weights, pair = gaussian((4, 6, 5)), norms.parse("2")
    auto = backend.get("auto")
    found = settling.settled(chain(weights), pair, Settings(), auto)
    assert found.note == "interrupted"
    assert formal_constant(chain(weights), pair) <= found.bound < np.inf


@pytest.mark.parametrize("error", [SolverError("no"), np.linalg.LinAlgError("no")])
def test_a_solver_that_fails_leaves_a_bound(monkeypatch, error):
    def failing(self, point):
        raise error

    monkeypatch.setattr(layered._Program, "newton", failing)
    weights, pair = gaussian((3, 4, 2)), norms.parse("2")
    found = settling.settled(chain(weights), pair, Settings(), layered)
    assert found.note
    assert formal_constant(chain(weights), pair) <= found.bound < np.inf
