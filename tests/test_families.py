"""The families of the benchmark are what they say, closed forms against brute force."""

from itertools import pairwise

import families
import numpy as np
import pytest
from cli_runs import SHIPPED
from families import Member, gelu, geolip_width, polygon, square
from networks import model
from oracles import formal_constant

from geolip import importer, methods, norms
from geolip.bounds.gradient import largest_gradient
from geolip.bounds.norm_product import norm_product

EVERY = [families.get(name) for name in families.names()]


@pytest.mark.parametrize("family", EVERY, ids=families.names())
def test_contract(family: families.Family) -> None:
    quick, full = family.members(full=False), family.members(full=True)
    assert 0 < len(quick) <= len(full)
    for members in (quick, full):
        assert len({member.name for member in members}) == len(members)
        sizes = [member.size for member in members]
        assert sizes == sorted(sizes)
        assert not family.GROWS or min(sizes) > 0
    for norm in family.NORMS:
        norms.parse(norm)
    assert set(family.METHODS) <= set(methods.names())


@pytest.mark.parametrize("family", EVERY, ids=families.names())
def test_members_are_networks_and_exact_constants_between_bounds(
    family: families.Family,
) -> None:
    for member in family.members(full=False):
        network = importer.load(member.model)
        for norm, exact in member.exact.items():
            pair = norms.parse(norm)
            lower = largest_gradient(network, network.sectors(), pair, seed=0)
            # Found by chance, but in networks as small as these.
            assert 0.9 * exact < lower <= exact * (1 + 1e-12)
            assert norm_product(network.sectors(), pair) >= exact * (1 - 1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_sawtooth_interpolates_the_square(depth: int) -> None:
    network = importer.load(model(*square.square(depth)))
    grid = np.arange(-(2**depth), 2 ** (depth + 1) + 1) / 2.0**depth
    values = network.evaluate(grid[None])[0]
    inside = (grid >= 0) & (grid <= 1)
    np.testing.assert_array_equal(values[inside], grid[inside] ** 2)
    # Linear between the points of the grid and outside: these are all slopes.
    slopes = np.diff(values) * 2**depth
    assert np.abs(slopes).max() == 2 - 2.0**-depth


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_sawtooth_with_free_slopes(depth: int) -> None:
    network = importer.load(model(*square.square(depth))).sectors()
    assert formal_constant(network, norms.parse("inf")) == depth + 1


@pytest.mark.parametrize("sides", [4, 8, 32])
def test_knock_out_finds_the_largest(sides: int) -> None:
    normals = polygon.unit_vectors(sides)
    network = importer.load(model(polygon.knock_out(normals)))
    points = np.random.default_rng(0).standard_normal((2, 200))
    expected = (normals @ points).max(axis=0)
    np.testing.assert_allclose(network.evaluate(points)[0], expected, atol=1e-12)


@pytest.mark.parametrize("member", families.get("nonnegative").members(full=False)[:1])
@pytest.mark.parametrize("norm", ["inf", "2", "1"])
def test_constants_of_nonnegative_networks(member: Member, norm: str) -> None:
    network = importer.load(member.model).sectors()
    truth = formal_constant(network, norms.parse(norm))
    assert member.exact[norm] == pytest.approx(truth, rel=1e-12)


def test_draws_are_those_of_pytorch() -> None:
    sizes = [784, 64, 10]
    random = np.random.default_rng(0)
    weights, biases = families.as_initialised(random, sizes)
    for W, b, (n, m) in zip(weights, biases, pairwise(sizes), strict=True):
        assert W.shape == (m, n)
        assert b.shape == (m,)
        for numbers in (W, b):
            assert np.abs(numbers).max() <= n**-0.5
        assert W.std() == pytest.approx((3 * n) ** -0.5, rel=0.1)
    assert [m.size for m in geolip_width.members(full=True)] == [
        8,
        16,
        32,
        64,
        128,
        256,
    ]


def test_shipped_networks_are_all_there_with_their_neurons() -> None:
    members = families.get("shipped").members(full=False)
    assert sorted(f"{member.name}.onnx" for member in members) == SHIPPED
    for member in members:
        assert member.size == importer.load(member.model).neurons


def test_steepest_place_of_gelu() -> None:
    network = importer.load(families.get("gelu").members(full=False)[0].model)
    places = np.linspace(1.0, 2.0, 20001)
    slopes = network.slopes(places[None])[0]
    assert slopes.max() == pytest.approx(gelu.STEEPEST, rel=1e-8)
    assert slopes.max() <= gelu.STEEPEST * (1 + 1e-14)
