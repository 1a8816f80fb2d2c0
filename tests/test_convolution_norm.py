"""Spectral norms of convolutions: their matrices, and an independent transform."""

from dataclasses import replace

import numpy as np
import pytest

from geolip import norms
from geolip.bounds import convolution_norm as module
from geolip.bounds import structured_norm as structured
from geolip.bounds.convolution_norm import convolution_norm
from geolip.bounds.norm_product import norm_product
from geolip.bounds.operator_norm import operator_norm
from geolip.bounds.structured_norm import structured_norm
from geolip.linear import (
    Convolution,
    Dense,
    TransposedConvolution,
    add,
    compose,
    scaling,
)
from geolip.sectors import LinearMap, SectorNetwork

PAIR = norms.parse("2")


def some_convolution(seed):
    """Return a convolution in one or two dimensions with small images."""
    random = np.random.default_rng(seed)
    dimensions = int(random.integers(1, 3))

    def draw(low, high):
        return tuple(int(n) for n in random.integers(low, high, dimensions))

    groups = int(random.choice([1, 1, 2]))
    channels = groups * int(random.integers(1, 4)), int(random.integers(1, 4))
    pads = tuple(zip(draw(0, 3), draw(0, 3), strict=True))
    kernel = random.standard_normal((*channels, *draw(1, 4)))
    batch = int(random.integers(1, 3))
    return Convolution(kernel, draw(5, 9), draw(1, 4), draw(1, 3), pads, groups, batch)


@pytest.mark.parametrize("seed", range(60))
def test_bounds_are_above_the_norm_of_the_matrix_and_near_it(seed):
    operator = some_convolution(seed)
    exact = np.linalg.norm(operator.dense(), 2)
    assert exact <= convolution_norm(operator) <= 2 * exact


def large(random, space=(40, 40)):
    kernel = random.standard_normal((4, 3, 3, 3))
    return Convolution(kernel, space, (1, 1), (1, 1), ((1, 1), (1, 1)))


def test_without_stride_it_is_the_norm_on_the_torus():
    operator = large(np.random.default_rng(0))
    symbols = np.fft.fft2(operator.kernel, s=(42, 42)).transpose(2, 3, 0, 1)
    exact = np.linalg.norm(symbols.reshape(-1, 4, 3), 2, axis=(1, 2)).max()
    assert exact <= convolution_norm(operator) <= exact * (1 + 1e-11)
    assert operator_norm(operator, PAIR) > 2 * exact


def test_on_large_images_little_is_lost():
    kernel = np.random.default_rng(1).standard_normal((2, 1, 3))
    operator = Convolution(kernel, (400,), (2,), (1,), ((1, 1),))
    exact = np.linalg.norm(operator.dense(), 2)
    assert exact <= convolution_norm(operator) <= exact * (1 + 1e-3)


@pytest.mark.parametrize("scale", [2.0**-600, 2.0**600])
def test_scaling_the_kernel_scales_the_norm(scale):
    operator = some_convolution(0)
    scaled = replace(operator, kernel=scale * operator.kernel)
    assert convolution_norm(scaled) == scale * convolution_norm(operator)
    assert convolution_norm(replace(operator, kernel=0 * operator.kernel)) == 0.0


def test_the_decomposition_is_not_trusted(monkeypatch):
    operator = some_convolution(3)
    exact, decomposed = np.linalg.norm(operator.dense(), 2), np.linalg.eigh
    for spoil in (
        lambda w, V: (0.5 * w, V),
        lambda w, V: (w, 0.5 * V),
        lambda w, V: (w, V[:, ::-1]),
        lambda w, V: (w / 4, 2 * V),
        lambda w, V: (0 * w, 0 * V),
    ):
        monkeypatch.setattr(np.linalg, "eigh", lambda G, s=spoil: s(*decomposed(G)))
        assert convolution_norm.__wrapped__(operator) >= exact
    nothing = (np.array([[np.nan]]), np.array([[[np.nan]]]))
    monkeypatch.setattr(np.linalg, "eigh", lambda G: nothing)
    assert convolution_norm.__wrapped__(operator) == np.inf


def test_roundings_of_the_weights_are_counted():
    operator = some_convolution(4)
    more = replace(operator, rounded=10**6)
    assert convolution_norm(more) > convolution_norm(operator) * (1 + 1e-11)


def test_what_takes_long_is_not_begun(monkeypatch):
    monkeypatch.setattr(module, "_WORK", 10.0)
    assert convolution_norm.__wrapped__(large(np.random.default_rng(0))) == np.inf


def test_parts_of_large_maps_are_looked_into():
    random = np.random.default_rng(0)
    first = large(random)
    second = Convolution(
        random.standard_normal((3, 4, 2, 2)), (40, 40), (2, 2), (1, 1), ((0, 0),) * 2
    )
    copies = Dense(random.standard_normal((5, 4)), inner=1600)
    factors = scaling(random.uniform(0.5, 1.0, first.shape[0]))
    one, two = convolution_norm(first), convolution_norm(second)
    for operator, expected in [
        (first, one),
        (TransposedConvolution(second), two),
        (
            compose(second, compose(factors, first)),
            two * factors.matrix.data.max() * one,
        ),
        (add(first, first), 2 * one),
        (compose(copies, first), np.linalg.norm(copies.matrix, 2) * one),
    ]:
        bound = structured_norm(operator, PAIR)
        assert bound == pytest.approx(expected, rel=1e-9)
        assert bound < 0.7 * operator_norm(operator, PAIR)
        assert structured_norm(operator, norms.parse("inf")) == operator_norm(
            operator, norms.parse("inf")
        )


def test_the_norm_product_of_a_large_convolution_is_tighter():
    operator = large(np.random.default_rng(0))
    network = SectorNetwork(
        operator.shape[1], (), LinearMap(operator.shape[0], {0: operator})
    )
    assert norm_product(network, PAIR, structured_norm) == pytest.approx(
        convolution_norm(operator)
    )
    assert structured.induced_norms(operator)["2"] == convolution_norm(operator)
