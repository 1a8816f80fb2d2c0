"""What leaves float64's range on the way, and comes back: bounds stay on their side."""

import numpy as np
import pytest
from closed_forms import PAIRS
from generators import chain
from oracles import matrix_norms

from geolip import norms
from geolip.bounds.combettes_pesquet import combettes_pesquet
from geolip.bounds.entrywise import absolute_paths, absolute_product, absolute_rows
from geolip.bounds.jacobian import attained
from geolip.bounds.matrix_norm import matrix_norm
from geolip.bounds.norm_product import norm_product
from geolip.bounds.operator_norm import operator_norm
from geolip.bounds.stages import implicit
from geolip.linear import Dense, compose
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

INF = norms.parse("inf")


def through_nothing(output):
    """Return a network whose second map's first factor makes less than any number."""
    one = np.ones(1)
    first = SectorBlock(LinearMap(1, {0: Dense(np.array([[2.0**-500]]))}), 0 * one, one)
    inner = Dense(np.array([[2.0**-600], [1.0]]))
    mapped = compose(Dense(np.array([output])), inner)
    second = SectorBlock(LinearMap(1, {1: mapped}), 0 * one, one)
    back = LinearMap(1, {2: Dense(np.array([[2.0**500]]))})
    return SectorNetwork(1, (first, second), back)


def test_closed_forms_know_what_underflows_within_a_map():
    network = implicit(through_nothing([2.0**600, 0.0]))
    ones = np.ones((1, 1))
    assert absolute_product(network, ones)[0, 0] >= 1.0
    assert absolute_rows(network)[0, 0] >= 1.0
    assert absolute_paths(network, ones)[0][0, 0] >= 1.0
    assert combettes_pesquet(network, INF)[0] >= 1.0


@pytest.mark.parametrize("pair", PAIRS)
def test_lower_bounds_know_what_underflows_within_a_map(pair):
    # The two paths cancel, but one of them is lost.
    network = through_nothing([2.0**600, -1.0])
    ones = np.ones((1, 1))
    found = attained(network, [ones, ones], [0 * ones] * 2, norms.parse(pair), ones)
    assert found[0] == 0.0


@pytest.mark.parametrize("pair", PAIRS)
def test_large_operators_of_small_numbers(pair):
    # Products of row and column sums are below float64's range.
    pair, small = norms.parse(pair), 2.0**-600
    wide = np.ones((1, 2001))
    for matrix in (wide, wide.T):
        truth = operator_norm(Dense(matrix), pair)
        assert operator_norm(Dense(small * matrix), pair) == small * truth
    network = chain([2.0**600 * wide.T, small * wide])
    assert norm_product(network, pair) >= 2001**0.5


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 2)])
def test_matrices_of_the_smallest_numbers(pair, shape):
    pair, ones = norms.parse(pair), np.ones(shape)
    truth = matrix_norms(ones[None], pair)[0]
    least = 2.0**-1074 * ones
    # In units of the smallest: whole numbers.
    assert operator_norm(Dense(least), pair) * 2.0**1000 * 2.0**74 >= truth * (
        1 - 1e-12
    )
    assert matrix_norm(least, pair) * 2.0**1000 * 2.0**74 >= truth * (1 - 1e-12)
