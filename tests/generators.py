"""Random numbers and small networks of differences: chains, graphs, any sectors."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from unittest.mock import patch

import numpy as np

from geolip import norms, strips
from geolip.arrays import Array
from geolip.backend import Settings, get
from geolip.incumbent import Incumbent
from geolip.linear import Dense
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

SECTORS = ((0.0, 1.0), (0.01, 1.0), (0.0, 0.25), (-0.13, 1.13))


def chain(
    weights: list[Array], sector: tuple[float, float] = (0.0, 1.0)
) -> SectorNetwork:
    """Return the chain of the weight matrices, one sector everywhere."""
    maps = [LinearMap(len(W), {k: Dense(W)}) for k, W in enumerate(weights)]
    blocks = tuple(
        SectorBlock(m, np.full(m.size, sector[0]), np.full(m.size, sector[1]))
        for m in maps[:-1]
    )
    return SectorNetwork(weights[0].shape[1], blocks, maps[-1])


def random_weights(
    random: np.random.Generator, depth: int, neurons: int, outputs: int
) -> list[Array]:
    """Return Gaussian matrices with ``depth`` hidden layers of ``neurons`` in all."""
    hidden = random.multinomial(neurons - depth, np.ones(depth) / depth) + 1
    sizes = [int(random.integers(1, 6)), *map(int, hidden), outputs]
    return [
        random.standard_normal((m, n)) * 10.0 ** random.uniform(-1, 1)
        for n, m in pairwise(sizes)
    ]


def random_chain(
    random: np.random.Generator,
    neurons: int = 10,
    outputs: int = 1,
    depth: int | None = None,
) -> SectorNetwork:
    """Return a chain of 1 to 4 or ``depth`` layers, one random sector everywhere."""
    depth = depth or int(random.integers(1, 5))
    sector = SECTORS[random.integers(len(SECTORS))]
    return chain(random_weights(random, depth, neurons, outputs), sector)


def random_graph(
    random: np.random.Generator,
    neurons: int = 10,
    outputs: int = 1,
    depth: int | None = None,
) -> SectorNetwork:
    """Return a graph with skip connections; every neuron has a sector of its own.

    With 1 to 4 or ``depth`` hidden layers.
    """
    depth = depth or int(random.integers(1, 5))
    hidden = random.multinomial(neurons - depth, np.ones(depth) / depth) + 1
    sizes = [int(random.integers(1, 6)), *map(int, hidden)]

    def reading(size: int, k: int) -> LinearMap:
        # The block before is always read, others now and then.
        sources = [j for j in range(k) if j == k - 1 or random.random() < 0.4]
        terms = {j: Dense(random.standard_normal((size, sizes[j]))) for j in sources}
        return LinearMap(size, terms)

    blocks = []
    for k, size in enumerate(sizes[1:], 1):
        ends = np.array([SECTORS[i] for i in random.integers(len(SECTORS), size=size)])
        blocks.append(SectorBlock(reading(size, k), ends[:, 0], ends[:, 1]))
    return SectorNetwork(sizes[0], tuple(blocks), reading(outputs, len(sizes)))


def wide(random: np.random.Generator, m: int, n: int) -> Array:
    """Return numbers of very different sizes below one half, some of them zero."""
    numbers = random.uniform(-0.5, 0.5, (m, n)) * 2.0 ** random.integers(-90, 1, (m, n))
    return numbers * (random.random((m, n)) < 0.9)


def some_multipliers(random: np.random.Generator, network) -> Multipliers:
    """Return multipliers near the best, rounded to 24 bits, or anything positive."""
    problem = Problem(network, norms.parse("2").input)
    if random.random() < 0.7:
        judge = Incumbent(problem)
        few = Settings(extra={"max_iterations": int(random.integers(1, 300))})
        get("lifted").solve(problem, few, judge)
        judge.settle()
        if judge.multipliers is not None:
            return judge.multipliers
    tau, *d = (10.0 ** random.uniform(-2, 2, n) for n in network.sizes)
    return Multipliers(tau, tuple(d))


@contextmanager
def random_strips(random: np.random.Generator) -> Iterator[None]:
    """Cut networks into strips of neurons that have nothing to do with each other."""

    def anywhere(network: SectorNetwork) -> list[Array | None]:
        return [
            random.random(size) if random.random() < 0.8 else None
            for size in network.sizes
        ]

    with patch.multiple(strips, positions=anywhere, _STRIP=2):
        yield
