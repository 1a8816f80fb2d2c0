"""Searches of lower bounds that have little time: few points, and still a bound."""

import math
import time

import numpy as np
import pytest
from generators import random_chain
from oracles import formal_constant

from geolip import norms
from geolip.backend import Settings
from geolip.bounds import gradient, pattern
from geolip.importer import from_matrices
from geolip.ordering import glance
from geolip.pace import affordable
from geolip.presolve import reduce
from geolip.problem import Problem


class Slow:
    """A network of which a pass takes a fiftieth of a second."""

    input_size = 3
    blocks = ()

    def jacobian(self, slopes, X):
        time.sleep(0.02)
        return X


@pytest.mark.parametrize(
    ("seconds", "least", "most"),
    [(-1.0, 1, 1), (0.0, 1, 1), (0.02 * 12 * 5, 1, 4), (6e4, 32, 32)],
)
def test_as_many_points_as_there_is_time_for(seconds, least, most):
    assert least <= affordable(Slow(), 32, time.monotonic() + seconds) <= most


def test_without_a_deadline_nothing_is_timed():
    class Never:
        def jacobian(self, slopes, X):
            raise AssertionError

    assert affordable(Never(), 32, math.inf) == 32


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("norm", ["inf", "2", "1"])
def test_few_points_give_lower_bounds(count, norm, monkeypatch):
    pair = norms.parse(norm)
    random = np.random.default_rng(count)
    weights = [random.standard_normal(s) for s in ((5, 4), (6, 5), (1, 6))]
    network = from_matrices(weights)
    sectors = network.sectors()
    truth = formal_constant(sectors, pair)
    for module in (gradient, pattern):
        monkeypatch.setattr(module, "affordable", lambda *_: count)
    fgl, direction = pattern.largest_pattern(sectors, pair, 0)
    assert 0 < fgl <= truth
    lower = gradient.largest_gradient(network, sectors, pair, 0, [direction])
    assert 0 < lower <= truth


def test_a_glance_takes_a_share_of_the_time():
    """Where an iteration takes longer, one; without a limit all of them."""
    random = np.random.default_rng(0)
    network = reduce(random_chain(random, neurons=9)).network
    problem = Problem(network, norms.parse("2").input)

    class Judge:
        satisfied = False

        def consider(self, *_, **__):
            return np.inf

    assert glance(problem, Settings(time_limit=1e-9), Judge()).iterations == 1
    assert glance(problem, Settings(), Judge()).iterations > 1
