"""Activations with parameters: values, sectors, and what is affine or refused."""

from typing import Any

import numpy as np
import pytest
from imported_values import evaluate
from importer_models import build, node, weights
from importer_refusals import assert_wrong, refused
from numpy.typing import NDArray
from onnx import NodeProto
from onnx.reference import ReferenceEvaluator

from geolip.importer import load
from geolip.network import Network

SHAPE = (1, 3, 2, 2)
CONSTANTS = {
    "zero": np.float32(0),
    "six": np.float32(6),
    "one": np.ones(1, np.float32),
    "ones": np.ones(3, np.float32),
    "nothing": np.float32(np.nan),
    "infinite": np.float32(np.inf),
    "low": np.float32(-np.inf),
    "each": np.array([-0.5, 0.25, 3.0], np.float32).reshape(3, 1, 1),
    "every": weights(0, *SHAPE[1:]),
    "mixed": np.array([1.0, 0.25, 1.0], np.float32).reshape(3, 1, 1),
}


def read(operator: NodeProto, opset: int = 24) -> Network:
    """Return the network of one node, whose values are compared with ONNX's."""
    model = build([operator], SHAPE, CONSTANTS, opset, ir_version=8)
    network = load(model)
    for seed in range(3):
        x = 3 * weights(seed, *SHAPE)
        (expected,) = ReferenceEvaluator(model).run(None, {"x": x})
        np.testing.assert_allclose(evaluate(network, x), expected, rtol=1e-5, atol=1e-6)
    return network


def sector(network: Network) -> tuple[NDArray[Any], NDArray[Any]]:
    (block,) = network.blocks
    return block.activation.sector(block.size)


@pytest.mark.parametrize(
    ("kind", "attributes", "ends"),
    [
        ("Celu", {"alpha": 0.5}, (0, 1)),
        ("Elu", {"alpha": -0.5}, (-0.5, 1)),
        ("Elu", {"alpha": 2.0}, (0, 2)),
        ("Gelu", {}, (-0.128904145185154787, 1.128904145185154787)),
        ("Gelu", {"approximate": "tanh"}, (-0.128994, 1.128994)),
        ("HardSigmoid", {}, (0, 0.20000000298023224)),
        ("HardSigmoid", {"alpha": -0.5, "beta": 0.25}, (-0.5, 0)),
        ("HardSwish", {}, (-0.5, 1.5)),
        ("LeakyRelu", {}, (0.009999999776482582, 1)),
        ("LeakyRelu", {"alpha": -2.0}, (-2, 1)),
        ("Selu", {}, (0, 1.758099346343030334)),
        ("Selu", {"alpha": 0.5, "gamma": 3.0}, (0, 3)),
        ("Shrink", {"lambd": 0.5, "bias": 0.5}, (0, 1)),
        ("Swish", {}, (-0.099839320128866917, 1.099839320128866917)),
        ("Swish", {"alpha": -3.0}, (-0.099839320128866917, 1.099839320128866917)),
        ("ThresholdedRelu", {"alpha": 0.0}, (0, 1)),
    ],
    ids=str,
)
def test_attributes(kind, attributes, ends):
    lower, upper = sector(read(node(kind, ["x"], ["y"], **attributes)))
    np.testing.assert_allclose([lower[0], upper[0]], ends, rtol=1e-15, atol=1e-15)
    assert (lower == lower[0]).all()
    assert (upper == upper[0]).all()


@pytest.mark.parametrize("opset", [7, 9, 16])
@pytest.mark.parametrize("name", ["zero", "six", "one", "each", "every", "mixed"])
def test_slopes_of_neurons(name, opset):
    each = np.broadcast_to(CONSTANTS[name], SHAPE).ravel()
    network = read(node("PRelu", ["x", name], ["y"]), opset)
    if name == "one":
        assert not network.blocks
        return
    lower, upper = sector(network)
    assert (lower == np.minimum(each, 1)).all()
    assert (upper == np.maximum(each, 1)).all()


@pytest.mark.parametrize(
    "inputs",
    ["zero six", "zero", " six", "six infinite", "low zero", "low six", "one six"],
)
def test_clips_are_blocks(inputs):
    names = ["x", *(name.strip() for name in inputs.split(" "))]
    lower, upper = sector(read(node("Clip", names, ["y"])))
    assert not lower.any()
    assert (upper == 1).all()


@pytest.mark.parametrize("inputs", [[], ["", ""], ["low"], ["low", "infinite"]])
def test_clips_without_ends_are_linear(inputs):
    network = read(node("Clip", ["x", *inputs], ["y"]))
    assert not network.blocks
    assert network.output.terms


@pytest.mark.parametrize(
    "operator",
    [
        node("Clip", ["x", "six", "zero"], ["y"]),
        node("Clip", ["x", "six", "six"], ["y"]),
        node("HardSigmoid", ["x"], ["y"], alpha=0.0, beta=0.3),
        node("HardSigmoid", ["x"], ["y"], alpha=0.0, beta=2.0),
    ],
)
def test_activations_that_are_constant(operator):
    network = read(operator, opset=13)
    assert not network.blocks
    assert not network.output.terms


def test_clips_of_old_models_have_attributes():
    operator = node("Clip", ["x"], ["y"], min=-1.0, max=2.0)
    assert sector(read(operator, opset=10))[1][0] == 1
    (block,) = load(build([operator], SHAPE, opset=10)).blocks
    assert block.activation.kinks == (-1.0, 2.0)


def test_a_gate_that_is_flat_is_linear():
    network = read(node("Swish", ["x"], ["y"], alpha=0.0))
    assert not network.blocks
    assert network.output.linear.apply([np.ones((12, 1))])[0] == 0.5


@pytest.mark.parametrize(
    ("operator", "reason"),
    [
        (node("ThresholdedRelu", ["x"], ["y"]), "jumps at its alpha, 1.0"),
        (node("Shrink", ["x"], ["y"]), "jumps, its lambd being 0.5 and its bias 0.0"),
        (node("Shrink", ["x"], ["y"], lambd=-1.0, bias=-1.0), "jumps"),
        (node("Celu", ["x"], ["y"], alpha=0.0), "alpha is 0.0"),
        (node("Celu", ["x"], ["y"], alpha=-1.0), "alpha is -1.0"),
        (node("PRelu", ["six", "x"], ["y"]), "must be constant"),
        (node("Clip", ["x", "x"], ["y"]), "must be constant"),
        (node("Exp", ["x"], ["y"]), "unbounded slope"),
        (node("Tan", ["x"], ["y"]), "unbounded slope"),
        (node("Reciprocal", ["x"], ["y"]), "unbounded slope"),
        (node("Floor", ["x"], ["y"]), "jumps"),
        (node("Round", ["x"], ["y"]), "jumps"),
    ],
    ids=str,
)
def test_refused(operator, reason):
    (line,) = refused(build([operator], SHAPE, CONSTANTS, opset=20))
    assert line.startswith(f"{operator.op_type} 'y': ")
    assert reason in line


@pytest.mark.parametrize(
    ("operator", "part"),
    [
        (node("Elu", ["x"], ["y"], alpha=np.nan), "alpha is nan"),
        (node("Selu", ["x"], ["y"], gamma=np.inf), "gamma is inf"),
        (node("Gelu", ["x"], ["y"], approximate="fast"), "approximate is 'fast'"),
        (node("Clip", ["x", "nothing"], ["y"]), "min is nan"),
        (node("Clip", ["x", "ones"], ["y"]), "min is [1.0, 1.0, 1.0]"),
        (node("Clip", ["x", "infinite"], ["y"]), "max has NaN or infinite"),
        (node("PRelu", ["x", "ones"], ["y"]), ""),
        (node("PRelu", ["x", "nothing"], ["y"]), "NaN or infinite"),
    ],
    ids=str,
)
def test_wrong(operator, part):
    model = build([operator], SHAPE, CONSTANTS, opset=20)
    assert_wrong(model, f"{operator.op_type} 'y'", part)
