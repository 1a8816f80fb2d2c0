"""Ranges of a graph's tensors: what they enclose, and at which sizes float32 ends."""

from collections.abc import Callable

import numpy as np
import pytest
from float_graphs import dense, model_of, node
from onnx import ModelProto
from random_float_graphs import GRAPHS, Draw

from geolip import importer
from geolip.errors import CertificationError
from geolip.execution import forward_error
from geolip.execution.arithmetic import ETA, LARGEST, UNIT
from geolip.execution.graph import output_of


@pytest.mark.parametrize("graph", GRAPHS)
def test_real_values_are_enclosed(graph: Callable[[Draw], ModelProto]) -> None:
    model = graph(Draw(0))
    network = importer.load(model)
    values = output_of(model, -1, 1)[0].values
    corners = np.random.default_rng(0).choice([-1.0, 1.0], (network.input_size, 100))
    for real in network.evaluate(corners).T:
        assert (values.lower <= real).all()
        assert (real <= values.upper).all()
        assert np.linalg.norm(real - values.centre) <= values.spread


def test_ranges_are_attained() -> None:
    H = np.array([[1.0, 1], [1, -1]])
    values = output_of(dense((np.kron(H, H), np.arange(4.0))), -1, 3)[0].values
    # Corners are mapped to all of four balls' points that are farthest away.
    np.testing.assert_allclose(values.centre, [4, 1, 2, 3], atol=1e-9)
    np.testing.assert_allclose(values.spread, 8)
    np.testing.assert_allclose(values.upper - values.centre, 8)
    np.testing.assert_allclose(values.centre - values.lower, 8)


def test_a_region_around_zero() -> None:
    W = np.random.default_rng(0).normal(size=(5, 40))
    model = dense((W, np.zeros(5)))
    bound = np.array(forward_error(model, (-1, 1)).errors)
    assert (bound >= 40 * UNIT * np.abs(np.float32(W)).sum(axis=1)).all()


def test_zero_weights() -> None:
    (bound,) = forward_error(dense((np.zeros((1, 3)), np.zeros(1))), (-1, 1)).errors
    assert bound <= 100 * ETA


def test_what_only_moves_is_exact() -> None:
    model = model_of([node("Flatten", "x", "y")], {}, (1, 2, 2))
    assert forward_error(model, (-1e30, 1e30)).error == 0


def test_what_changes_signs_may_flush() -> None:
    slope = node("LeakyRelu", "x", "y", alpha=1.0)
    for only in (node("Neg", "x", "y"), slope):
        assert forward_error(model_of([only], {}, (3,)), (0, 2.0**-130)).error >= ETA


def test_no_outputs() -> None:
    split = node("Split", "x s", "y z")
    model = model_of([split], {"s": np.array([0, 3])}, (3,))
    statement = forward_error(model, (0, 1))
    assert statement.errors == ()
    assert statement.error == statement.as_dict()["error"] == 0


def test_overflow() -> None:
    model = dense((np.full((1, 2), 3e38), np.zeros(1)))
    with pytest.raises(CertificationError, match=r"Gemm 'y'.*range"):
        forward_error(model, (-1, 1))
    # The sum of an average overflows, the average does not.
    pool = node("ReduceMean", "x", "y", axes=[1])
    with pytest.raises(CertificationError, match="ReduceMean"):
        forward_error(model_of([pool], {}, (1, 100)), (0, LARGEST / 10))
