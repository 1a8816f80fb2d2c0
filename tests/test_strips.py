"""Strips of neurons: any of them leave matrices and bounds what they are."""

from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from exact_operators import exact
from exact_truth import slack_and_output, value
from generators import (
    chain,
    random_chain,
    random_graph,
    random_strips,
    some_multipliers,
    wide,
)
from oracles import formal_constant
from scipy import sparse
from test_blocks import dense

from geolip import norms, strips
from geolip.blocks import BlockMatrix
from geolip.exact import readings
from geolip.exact import slack as slack_module
from geolip.exact.decision import proved_square
from geolip.exact.readings import matrix_tiles
from geolip.exact.slack import Slack, slack
from geolip.linear import (
    Convolution,
    Dense,
    LinearOperator,
    Sparse,
    Sum,
    add,
    compose,
)
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork
from geolip.tiles import Tile, cut, joined
from geolip.triangles import Triangles
from geolip.verify import verified_bound

KINDS = [random_chain, random_graph]


def plane(random: np.random.Generator, channels: int, size: int) -> Convolution:
    """Return a convolution of kernel 3 and stride 2."""
    kernel = random.standard_normal((4, channels, 3, 3))
    return Convolution(kernel, (size, size), (2, 2), (1, 1), ((1, 1), (1, 1)))


def layers(operators: list[LinearOperator]) -> SectorNetwork:
    """Return a chain of ReLU layers with one output, the sum of the last."""
    blocks = tuple(
        SectorBlock(
            LinearMap(A.shape[0], {k: A}), np.zeros(A.shape[0]), np.ones(A.shape[0])
        )
        for k, A in enumerate(operators)
    )
    total = Dense(np.ones((1, blocks[-1].size)))
    return SectorNetwork(
        operators[0].shape[1], blocks, LinearMap(1, {len(blocks): total})
    )


def convolutional(seed: int) -> SectorNetwork:
    random = np.random.default_rng(seed)
    dense = Dense(random.standard_normal((5, 64)))
    return layers([plane(random, 3, 16), plane(random, 4, 8), dense])


def check_partition(network: SectorNetwork, tiles: list[Tile]) -> None:
    assert [tile.block for tile in tiles] == sorted(tile.block for tile in tiles)
    numbers = [np.arange(size) for size in network.sizes]
    whole = joined(cut(numbers, tiles), tiles)
    assert all((a == b).all() for a, b in zip(whole, numbers, strict=True))
    members = [np.arange(network.sizes[tile.block])[tile.rows] for tile in tiles]
    assert [len(rows) for rows in members] == [tile.size for tile in tiles]
    assert sum(tile.size for tile in tiles) == sum(network.sizes)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", KINDS)
def test_every_coordinate_is_in_one_strip(kind, seed):
    random = np.random.default_rng(seed)
    network = kind(random, neurons=9)
    with random_strips(random):
        check_partition(network, strips.strips(network))
    check_partition(network, strips.strips(network))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, -1.0, 2.0, 1e300], ids=str)
def test_positions_may_be_as_wrong_as_they_like(wrong, monkeypatch):
    network = convolutional(0)
    places = [np.random.default_rng(0).random(size) for size in network.sizes]
    for place in places:
        place[::3] = wrong
    monkeypatch.setattr(strips, "positions", lambda network: places)
    monkeypatch.setattr(strips, "_STRIP", 8)
    with np.errstate(all="raise"):
        check_partition(network, strips.strips(network))


def test_layers_of_convolutions_are_in_strips_of_neighbours(monkeypatch):
    monkeypatch.setattr(strips, "_STRIP", 32)
    network = convolutional(1)
    tiles = strips.strips(network)
    check_partition(network, tiles)
    # Of 16, 8 and 4 columns; the dense layer is nowhere.
    assert [sum(t.block == k for t in tiles) for k in range(4)] == [8, 8, 4, 1]
    for (_, rows), (_, others) in pairwise(tiles[:8]):
        assert (rows % 16).max() + 1 == (others % 16).min()
    found = slack(network, some_multipliers(np.random.default_rng(1), network))
    # A kernel of three columns reaches into one strip on both sides.
    assert {j for i, j in found.blocks if i == 10} == {1, 2}
    assert {j for i, j in found.blocks if i == 17} == {9, 10, 11}
    assert {j for i, j in found.blocks if i == 20} == {16, 17, 18, 19}


@pytest.mark.parametrize("size", [1, 784, 1025])
def test_dense_layers_have_no_strips(size, monkeypatch):
    monkeypatch.setattr(strips, "_STRIP", 1)
    random = np.random.default_rng(2)
    network = chain([wide(random, 7, size), wide(random, 3, 7), wide(random, 1, 3)])
    assert all(isinstance(tile.rows, slice) for tile in strips.strips(network))
    assert all(tile.size <= 1024 for tile in strips.strips(network))


def some_triangles(random: np.random.Generator, size: int) -> Triangles:
    """Return triangles, whose weights are powers of two."""
    if size < 3:
        return Triangles.none(size)
    corners = [random.choice(size, 3, replace=False) for _ in range(4)]
    signs = random.choice([-1.0, 1.0], (4, 3))
    return Triangles(size, np.array(corners), signs, np.full(4, 2.0**-6))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_the_slack_of_strips_is_the_theorems(kind, seed):
    """Against B in fractions, in the order of the strips."""
    random = np.random.default_rng(seed)
    network = reduce(kind(random, neurons=7, outputs=2)).network
    plain = some_multipliers(random, network)
    triangles = some_triangles(random, network.input_size)
    multipliers = Multipliers(plain.tau, plain.d, triangles)
    B, C = slack_and_output(network, multipliers)
    n = network.input_size
    if triangles:
        B[:n, :n] += sum(exact(layer) for layer in triangles.layers())
    with random_strips(random):
        tiles = strips.strips(network)
        with patch.object(slack_module, "strips", lambda network: tiles):
            found = slack(network, multipliers)
    offsets = np.cumsum([0, *network.sizes])
    order = np.concatenate(
        [np.arange(offsets[k], offsets[k + 1])[rows] for k, rows in tiles]
    )
    scales = exact(np.concatenate(slack_module._scales(network, multipliers)))
    truth = (scales[:, None] * B * scales)[np.ix_(order, order)]
    difference = truth - assembled(found)
    assert np.abs(difference).max() <= 2.0**-84 * 4
    C = (scales[:, None] * C)[order]
    outputs = [sum(exact(part) for part in block.parts) for block in found.outputs]
    assert (np.concatenate(outputs) == C).all()


def assembled(found: Slack) -> np.ndarray:
    """Return B as one matrix of fractions."""
    ends = np.cumsum([0, *found.sizes])
    own = [value(diagonal)[0] for diagonal in found.diagonals]
    matrix = np.diag(np.concatenate(own))
    for (i, j), block in found.blocks.items():
        rows, columns = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
        matrix[rows, columns] += value(block)
        if i != j:
            matrix[columns, rows] += value(block).T
    return matrix


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("seed", range(8))
def test_strips_prove_what_the_whole_does(seed, norm):
    random = np.random.default_rng(seed)
    network = reduce(KINDS[seed % 2](random, neurons=8, outputs=1)).network
    problem = Problem(network, norms.parse(norm).input)
    if problem.is_trivial:
        return
    multipliers = some_multipliers(random, network)
    tau = np.full(network.input_size, multipliers.tau.max())
    multipliers = Multipliers(tau, multipliers.d)
    bound = verified_bound(problem, multipliers)
    with random_strips(random):
        again = verified_bound(problem, multipliers)
        if bound is None:
            assert again is None
            return
        square = proved_square(network, problem.norm, multipliers)
    assert again == pytest.approx(bound, rel=1e-11)
    assert float(square) == pytest.approx(bound**2, rel=1e-11)
    assert again >= formal_constant(network, norms.parse(norm))


@pytest.mark.parametrize("seed", range(12))
def test_errors_are_those_of_the_entries_in_every_strip(seed):
    """Of rounded, composed and added operators: as of one block, and no smaller."""
    random = np.random.default_rng(seed)
    network = rounded_network(random)
    tau, *d = (2.0 ** random.integers(-2, 3, n) for n in network.sizes)
    multipliers = Multipliers(tau, tuple(d))
    numbers = [np.arange(size) for size in network.sizes]
    numbers = [own + sum(network.sizes[:k]) for k, own in enumerate(numbers)]
    whole = slack(network, multipliers)
    with random_strips(random):
        tiles = strips.strips(network)
        with patch.object(slack_module, "strips", lambda network: tiles):
            found = slack(network, multipliers)
    order = np.concatenate(cut(numbers, tiles))
    wanted = errors(whole)
    assert np.abs(wanted).max() > 1e-17
    np.testing.assert_allclose(
        errors(found), wanted[np.ix_(order, order)], rtol=1e-3, atol=1e-22
    )
    moved = assembled(whole)[np.ix_(order, order)] - assembled(found)
    assert np.abs(moved).max() <= 2.0**-82


def errors(found: Slack) -> np.ndarray:
    """Return by how much B's entries may be off, as one matrix."""
    return dense(BlockMatrix(found.sizes, found.errors()))


def rounded_network(random: np.random.Generator) -> SectorNetwork:
    """Return a network whose entries are known up to their rounding."""

    def rounded(m: int, n: int) -> Sparse:
        numbers = random.standard_normal((m, n)) * (random.random((m, n)) < 0.6)
        return Sparse(sparse.csr_array(numbers), rounded=2)

    added = Sum((rounded(6, 7), Dense(random.standard_normal((6, 7)))))
    # Numbers that cancel, and errors that do not.
    unit = np.eye(5, 6)
    nothing = Sum((Sparse(sparse.csr_array(unit), 2), Sparse(sparse.csr_array(-unit))))
    composed = compose(rounded(5, 4), Dense(random.standard_normal((4, 6))))
    network = layers([added, add(nothing, composed), rounded(4, 5)])
    leaky = tuple(replace(b, lower=np.full(b.size, 0.25)) for b in network.blocks)
    return replace(network, blocks=leaky)


def test_matrices_are_kept_for_the_same_tiles_alone():
    operator = convolutional(3).blocks[0].preactivation.terms[0]
    whole = operator.dense()
    m, n = operator.shape

    def check(rows, columns):
        found = matrix_tiles(operator, rows, columns)
        for i, some in rows.items():
            for j, others in columns.items():
                truth = whole[some][:, others]
                assert (j in found[i]) == truth.any()
                if truth.any():
                    assert (found[i][j].floats() == truth).all()
        return found

    middle = np.arange(m // 2)
    whole_input = {5: slice(0, n)}
    first = check({0: middle, 1: middle + m // 2}, whole_input)
    assert check({0: middle, 1: middle + m // 2}, whole_input) is first
    assert check({1: middle, 0: middle + m // 2}, whole_input) is not first
    check({0: slice(0, m)}, {5: np.arange(0, n, 2), 6: np.arange(1, n, 2)})


def test_large_matrices_are_formed_again(monkeypatch):
    monkeypatch.setattr(readings, "_LARGEST", 0)
    operator = Dense(np.arange(6.0).reshape(2, 3))
    ends = {0: slice(0, 2)}, {1: slice(0, 3)}
    assert matrix_tiles(operator, *ends) is not matrix_tiles(operator, *ends)


def test_outputs_share_what_is_left_of_layers():
    """The same object for the same rows and columns, another one for others."""
    reading = LinearMap(2, {0: Dense(np.arange(6.0).reshape(2, 3))})
    rows, columns = np.array([True, False]), np.array([True, False, True])
    first = reading.restrict(rows, [columns])
    assert reading.restrict(rows.copy(), [columns.copy()]) is first
    # One of both changes at a time.
    for some, others in ((rows, ~columns), (~rows, ~columns), (~rows, columns)):
        found = reading.restrict(some, [others]).terms[0].dense()
        np.testing.assert_array_equal(found, reading.terms[0].dense()[some][:, others])
