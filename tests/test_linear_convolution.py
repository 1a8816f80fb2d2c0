"""Convolutions against SciPy's correlation."""

from dataclasses import dataclass

import numpy as np
from exact_operators import correlated
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_examples import close, convolution_1d
from scipy.linalg import block_diag

from geolip.linear import Convolution


@dataclass(frozen=True)
class Axis:
    """How a convolution goes along one axis."""

    taps: int
    stride: int
    dilation: int
    before: int
    after: int
    size: int


@st.composite
def axes(draw: st.DrawFn, most: int) -> Axis:
    taps, stride, dilation = draw(st.tuples(*[st.integers(1, 3)] * 3))
    before, after = draw(st.tuples(*[st.integers(0, 2)] * 2))
    least = max(dilation * (taps - 1) + 1 - before - after, 1)
    size = draw(st.integers(least, least + most))
    return Axis(taps, stride, dilation, before, after, size)


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    dimensions = draw(st.integers(1, 3))
    along = [draw(axes({1: 5, 2: 3, 3: 1}[dimensions])) for _ in range(dimensions)]
    groups, per_input, per_output, batch = draw(st.tuples(*[st.integers(1, 2)] * 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    taps = [axis.taps for axis in along]
    return Convolution(
        random.standard_normal((groups * per_output, per_input, *taps)),
        tuple(axis.size for axis in along),
        tuple(axis.stride for axis in along),
        tuple(axis.dilation for axis in along),
        tuple((axis.before, axis.after) for axis in along),
        groups,
        batch,
    )


@settings(deadline=None, max_examples=80)
@given(convolutions(), st.integers(0, 2**32 - 1))
def test_convolution(conv: Convolution, seed: int) -> None:
    random = np.random.default_rng(seed)
    X = random.standard_normal((conv.shape[1], 2))
    Y = random.standard_normal((conv.shape[0], 2))
    expected = correlated(conv, X)
    close(conv.apply(X), expected)
    close(np.sum(expected * Y, axis=0), np.sum(X * conv.adjoint(Y), axis=0))
    matrix = conv.dense()
    close(matrix @ X, expected)
    close(conv.row_sums, np.abs(matrix).sum(axis=1))
    close(conv.column_sums, np.abs(matrix).sum(axis=0))
    assert (conv.absolute.dense() == np.abs(matrix)).all()


def test_dense_convolution_holds_the_weights_themselves() -> None:
    conv = convolution_1d(np.random.default_rng(0))
    assert set(conv.dense().ravel()) == {0.0, *conv.kernel.ravel()}


def test_batch_repeats_a_convolution() -> None:
    one = Convolution(np.ones((1, 1, 2)), (4,), (1,), (1,), ((0, 0),))
    two = Convolution(np.ones((1, 1, 2)), (4,), (1,), (1,), ((0, 0),), batch=2)
    assert (two.dense() == block_diag(one.dense(), one.dense())).all()
