"""Networks around every kind of linear operator have certificates that are true."""

from typing import Any

import numpy as np
import pytest
from importer_models import Arrays, build, integers, node, weights
from onnx import NodeProto

from geolip import certify
from geolip.certificate import EXACT
from geolip.importer import load

SHAPE = [1, 2, 3, 3]
LINEAR: list[tuple[NodeProto, Arrays]] = [
    (
        node("ConvTranspose", ["r", "w"], ["l"], strides=[2, 1], pads=[1, 0, 0, 1]),
        {"w": weights(0, 2, 2, 3, 2)},
    ),
    (
        node("Resize", ["r", "", "", "s"], ["l"], mode="linear"),
        {"s": integers(1, 2, 4, 5)},
    ),
    (
        node("Resize", ["r", "", "", "s"], ["l"], mode="cubic"),
        {"s": integers(1, 2, 2, 5)},
    ),
    (
        node("GridSample", ["r", "g"], ["l"]),
        {"g": np.tanh(weights(1, 1, 3, 2, 2))},
    ),
    (
        node("Einsum", ["r", "w"], ["l"], equation="nchw,dch->ndw"),
        {"w": weights(2, 4, 2, 3)},
    ),
    (node("CumSum", ["r", "k"], ["l"]), {"k": np.array(2)}),
    (
        node("ScatterND", ["r", "i", "r"], ["l"], reduction="add"),
        {"i": np.array([[0]])},
    ),
]


@pytest.mark.parametrize(("operator", "constants"), LINEAR)
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_certificate(operator: NodeProto, constants: dict[str, Any], norm: str) -> None:
    nodes = [
        node("Relu", ["x"], ["r"]),
        operator,
        node("Relu", ["l"], ["m"]),
        node("ReduceSum", ["m"], ["y"], keepdims=0),
    ]
    model = build(nodes, SHAPE, constants)
    report = certify(model, norm=norm, exact=True)
    assert report.trust == EXACT
    network, rng = load(model), np.random.default_rng(0)
    x, step = 3 * rng.standard_normal((2, network.input_size, 500))
    lengths = np.linalg.norm(0.01 * step, {"inf": np.inf, "2": 2}[norm], axis=0)
    moved = network.evaluate(x + 0.01 * step) - network.evaluate(x)
    assert 0 < np.abs(moved / lengths).max() <= report.bound * (1 + 1e-9)
