"""Soundness in bulk: certified bounds of random networks against brute force.

Every bound is confirmed by exact arithmetic as well.
"""

from contextlib import nullcontext
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from generators import random_chain, random_graph, random_strips
from oracles import formal_constant, matrix_norms

from geolip import norms
from geolip.backend import Settings, get
from geolip.errors import RefusedCertificateError
from geolip.exact.decision import proved_square
from geolip.incumbent import Incumbent
from geolip.linear import Convolution, Dense, compose, scaling
from geolip.norms import NormPair
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

NORMS = ("inf", "2", "2:inf", "inf:2")


def random_convolutions(
    random: np.random.Generator, neurons: int = 8, outputs: int = 1
) -> SectorNetwork:
    """Return two small convolutions, scaled by channel as normalisations do."""
    first = Convolution(
        random.standard_normal((1, 1, 2)),
        (int(random.integers(3, 5)),),
        (1,),
        (1,),
        ((int(random.integers(2)), 0),),
    )
    size = first.shape[0]
    second = Convolution(
        random.standard_normal((1, 1, 2)),
        (size,),
        (int(random.integers(1, 3)),),
        (1,),
        ((0, 0),),
    )
    scaled = compose(scaling(random.uniform(0.1, 2, size)), first)
    readout = Dense(random.standard_normal((outputs, second.shape[0])))

    def layer(k: int, operator) -> SectorBlock:
        n = operator.shape[0]
        ends = random.choice([0.0, 0.01, -0.13]), random.choice([0.25, 1.0, 1.13])
        return SectorBlock(
            LinearMap(n, {k: operator}), np.full(n, ends[0]), np.full(n, ends[1])
        )

    blocks = (layer(0, scaled), layer(1, second))
    return SectorNetwork(first.shape[1], blocks, LinearMap(outputs, {2: readout}))


KINDS = (random_chain, random_graph, random_convolutions)


def certified(
    network: SectorNetwork, pair: NormPair, iterations: int
) -> tuple[float, bool]:
    """Return a verified bound, and whether exact arithmetic has confirmed it."""
    reduced = reduce(network).network
    problem = Problem(reduced, pair.input)
    if problem.is_trivial:
        return 0.0, True
    judge = Incumbent(problem)
    settings = Settings(1e-4, extra={"max_iterations": iterations})
    get("lifted").solve(problem, settings, judge)
    bound = judge.settle()
    if judge.multipliers is None:
        return bound, True
    try:
        square = proved_square(reduced, pair.input, judge.multipliers)
    except RefusedCertificateError:
        return bound, False
    # Of the bound, 1e-11.
    return bound, square <= Fraction(bound) ** 2 <= square * (1 + Fraction(2, 10**11))


def check_bounds(start: int, count: int) -> None:
    """Certify random networks and hold each against all its slope patterns."""
    for seed in range(start, start + count):
        random = np.random.default_rng([seed, 11])
        pair = norms.parse(NORMS[seed % 4])
        outputs = 1 if pair.rowwise else int(random.integers(1, 4))
        network = KINDS[seed % 3](random, neurons=7, outputs=outputs)
        # Every other one in strips, which may be any.
        cut = random_strips(random) if seed // 12 % 2 else nullcontext()
        with cut:
            bound, confirmed = certified(network, pair, int(random.integers(1, 60)))
        assert bound >= formal_constant(network, pair), seed
        assert confirmed, seed


def test_where_rounding_counts_exact_arithmetic_is_asked():
    """Of a network whose B is so nearly singular that float64 alone loses 2.7e-11."""
    check_bounds(201067, 1)


def check_known(start: int, count: int) -> None:
    """Networks of non-negative weights, whose constant is that of their product."""
    for seed in range(start, start + count):
        random = np.random.default_rng([seed, 12])
        pair = norms.parse(NORMS[seed % 4])
        sizes = random.integers(1, 9, random.integers(3, 6))
        sizes[-1] = 1 if pair.rowwise else sizes[-1]
        weights = [
            random.random((m, n)) * 10.0 ** random.uniform(-3, 3)
            for n, m in pairwise(sizes)
        ]
        product = weights[0]
        for W in weights[1:]:
            product = W @ product
        truth = float(matrix_norms(product[None], pair)[0])
        blocks = tuple(
            SectorBlock(
                LinearMap(len(W), {k: Dense(W)}), np.zeros(len(W)), np.ones(len(W))
            )
            for k, W in enumerate(weights[:-1])
        )
        last = LinearMap(len(weights[-1]), {len(blocks): Dense(weights[-1])})
        network = SectorNetwork(int(sizes[0]), blocks, last)
        bound, confirmed = certified(network, pair, int(random.integers(1, 40)))
        assert bound >= truth * (1 - 1e-12), seed
        assert confirmed, seed


@pytest.mark.parametrize("batch", range(8))
def test_bounds_of_random_networks(batch):
    check_bounds(250 * batch, 250)


@pytest.mark.parametrize("batch", range(2))
def test_bounds_of_known_constants(batch):
    check_known(150 * batch, 150)


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(100))
def test_bounds_of_very_many_random_networks(batch):
    check_bounds(10_000 + 1000 * batch, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(10))
def test_bounds_of_many_known_constants(batch):
    check_known(10_000 + 1000 * batch, 1000)
