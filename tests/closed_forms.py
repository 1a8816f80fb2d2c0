"""Bounds in closed form of networks of differences, and networks to ask about."""

import math
from itertools import pairwise

import numpy as np
from importer_models import build, node

from geolip import importer, norms
from geolip.bounds.combettes_pesquet import combettes_pesquet
from geolip.bounds.entrywise import absolute_paths, absolute_product, columns
from geolip.bounds.matrix_norm import matrix_norm
from geolip.bounds.stages import Stage, Stages, explicit
from geolip.linear import Dense, compose
from geolip.sectors import LinearMap

PAIRS = [f"{p}:{q}" for p in norms.NORMS for q in norms.NORMS]


def gaussian(sizes):
    random = np.random.default_rng(0)
    return [random.standard_normal((m, n)) for n, m in pairwise(sizes)]


def k1(network, pair, way=explicit):
    return combettes_pesquet(way(network), pair)[0]


def k3(network, pair, way=explicit):
    inputs = columns(pair.input, network.input_size)
    return matrix_norm(absolute_product(way(network), inputs), pair)


def k4(network, pair, way=explicit, deadline=math.inf):
    inputs = columns(pair.input, network.input_size)
    return matrix_norm(absolute_paths(way(network), inputs, deadline)[0], pair)


def pooled_network():
    """Return a layer, a maximum over overlapping windows, and a layer."""
    random = np.random.default_rng(3)
    nodes = [
        node("Conv", ["x", "k"], ["c"], pads=[1, 1]),
        node("MaxPool", ["c"], ["p"], kernel_shape=[3], strides=[2]),
        node("Flatten", ["p"], ["f"]),
        node("MatMul", ["f", "w"], ["y"]),
    ]
    numbers = {
        "k": random.standard_normal((1, 1, 3)).astype(np.float32),
        "w": random.standard_normal((3, 2)).astype(np.float32),
    }
    return importer.load(build(nodes, (1, 1, 7), numbers))


# Added up in float64, from either end, the entries of LOSING' ONES make nothing.
LOSING, ONES = np.array([[2.0**53], [1.0], [-(2.0**53)]]), np.ones((1, 3))


def cancelling():
    """Return networks whose constant is one, and is zero where rounding is ignored.

    In the first a stage without a rest multiplies by LOSING, in the second one map
    does; in the third all that the output reads is known to be small.
    """
    hidden = Stage(LinearMap(3, {0: Dense(LOSING)}), np.ones(3), np.zeros(3))
    added = LinearMap(1, {1: Dense(ONES)})
    small = Stage(added, np.ones(1), np.full(1, 1e-30))
    composed = LinearMap(1, {0: compose(Dense(ONES), Dense(LOSING))})
    return (
        Stages(1, (hidden,), added),
        Stages(1, (), composed),
        Stages(1, (hidden, small), LinearMap(1, {2: Dense(np.ones((1, 1)))})),
    )
