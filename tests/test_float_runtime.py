"""Executions in float32 by a runtime: none is further off than the bound says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from float_graphs import dense, float32, model_of, node
from onnx import ModelProto
from random_float_graphs import GRAPHS, Draw
from runtime_errors import measured

from geolip import importer
from geolip.execution import forward_error
from geolip.execution.arithmetic import UNIT

MODELS = Path(__file__).parents[1] / "models"


@pytest.mark.parametrize("region", [(0.0, 1.0), (-3.0, 2.0), (100.0, 100.5)])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_runtime_stays_within(
    graph: Callable[[Draw], ModelProto], seed: int, region: tuple[float, float]
) -> None:
    model = graph(Draw(seed))
    bound = np.array(forward_error(model, region).errors)
    errors = measured(model, region)
    assert (errors <= bound).all()
    assert (errors > 0).any()


@pytest.mark.parametrize("name", ["digits_fc", "digits_conv", "digits_sigmoid"])
def test_shipped_networks(name: str) -> None:
    model = importer.read(MODELS / f"{name}.onnx")[0]
    model.graph.input[0].name, old = "x", model.graph.input[0].name
    for reader in model.graph.node:
        reader.input[:] = ["x" if name == old else name for name in reader.input]
    bound = np.array(forward_error(model, (0, 1)).errors)
    assert (measured(model, (0, 1)) <= bound).all()


def test_the_bound_is_not_absurd() -> None:
    rng = np.random.default_rng(1)
    W, b, U, c = (rng.normal(size=n) for n in ((30, 20), 30, (4, 30), 4))
    model = dense((W, b), (U, c))
    bound = forward_error(model, (0, 1)).error
    assert bound <= 300 * measured(model, (0, 1), 100).max()


def test_deep_networks_of_small_norm() -> None:
    rng = np.random.default_rng(2)
    layers = [np.linalg.qr(rng.normal(size=(40, 40)))[0] for _ in range(30)]
    model = dense(*((Q, np.zeros(40)) for Q in layers))
    # Products of absolute values would be of size 5^30.
    assert forward_error(model, (-1, 1)).error < 0.1


# Normalisation ----------------------------------------------------------------------


def test_a_mean_that_cancels() -> None:
    """The function has no bias at all, its execution has two large ones."""
    rng = np.random.default_rng(3)
    constants = {
        "W": np.float32(rng.normal(size=(5, 5))),
        "c": np.full(5, 1e5, np.float32),
        "s": np.float32(rng.uniform(0.5, 2, 5)),
        "b": np.zeros(5, np.float32),
        "m": np.full(5, 1e5, np.float32),
        "v": np.float32(rng.uniform(0.5, 2, 5)),
    }
    normalise = node("BatchNormalization", "h s b m v", "y")
    model = model_of([node("Gemm", "x W c", "h"), normalise], constants, (1, 5))
    bound = np.array(forward_error(model, (-1, 1)).errors)
    network = importer.load(model)
    merged = 20 * UNIT * network.output.terms[0].row_sums + np.abs(network.output.bias)
    errors = measured(model, (-1, 1))
    assert (errors > 10 * merged).any()
    assert (errors <= bound).all()

    c, s, b, m, v = (constants[name] for name in "csbmv")
    x = np.float32(rng.uniform(-1, 1, (50, 5)))
    real = network.evaluate(x.T.astype(np.float64)).T
    inverse = np.float32(1) / np.sqrt(v + np.float32(1e-5))
    z, a = x @ constants["W"] + c, s * inverse
    folded = x @ (constants["W"] * a) + ((c - m) * a + b)
    late = x @ (constants["W"] * a) + c * a + (b - m * a)
    for result in ((z - m) * inverse * s + b, z * a + (b - m * a), folded, late):
        assert result.dtype == np.float32
        assert (np.abs(result - real) <= bound).all()


def test_a_mean_that_the_bias_cancels() -> None:
    constants = {"s": float32(1.1), "m": float32(1e5), "v": float32(0.9)}
    constants["b"] = np.float32(1e5 * 1.1 / np.sqrt(0.9 + 1e-5) * float32(1))
    model = model_of([node("BatchNormalization", "x s b m v", "y")], constants, (8, 1))
    (bound,) = set(forward_error(model, (-1, 1)).errors)
    assert 1e-4 < measured(model, (-1, 1)).max() <= bound
