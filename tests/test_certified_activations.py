"""Networks of every activation, from the model to a certificate that is checked."""

import numpy as np
import pytest
from composite_models import COMPOSITES, Graph
from importer_models import build, node, weights
from onnx import ModelProto

from geolip import certify, checking, norms
from geolip.certificate import Certificate
from geolip.importer import load
from geolip.importer.ops.activation import OPERATORS

PARAMETERS = {
    "Shrink": {"lambd": 0.5, "bias": 0.5},
    "ThresholdedRelu": {"alpha": 0.0},
}
INPUTS = {"Clip": ["low", "high"], "PRelu": ["slopes"]}
CONSTANTS = {
    "first": weights(0, 4, 6),
    "second": weights(1, 6, 5),
    "third": weights(2, 5, 2),
    "low": np.float32(-0.5),
    "high": np.float32(1.0),
    "slopes": np.array([[-0.5, 0.25, 1.0, 3.0, 0.0, 1.0]], np.float32),
}


def plain(kind: str) -> ModelProto:
    names, attributes = INPUTS.get(kind, []), PARAMETERS.get(kind, {})
    nodes = [
        node("MatMul", ["x", "first"], ["a"]),
        node(kind, ["a", *names], ["b"], **attributes),
        node("MatMul", ["b", "second"], ["c"]),
        node("Abs" if names else kind, ["c"], ["d"], **attributes),
        node("MatMul", ["d", "third"], ["y"]),
    ]
    return build(nodes, [1, 4], CONSTANTS, opset=24)


def composed(kind: str) -> ModelProto:
    graph, make = Graph(), COMPOSITES[kind][-1]
    hidden = make(graph, graph("MatMul", "x", "first"))
    hidden = make(graph, graph("MatMul", hidden, "second"))
    graph("MatMul", hidden, "third")
    graph.constants |= CONSTANTS
    return build(graph.nodes, [1, 4], graph.constants)


CASES = [(plain, kind) for kind in OPERATORS] + [(composed, k) for k in COMPOSITES]


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize(("make", "kind"), CASES)
def test_a_certificate_is_proved_exactly(tmp_path, make, kind, norm):
    model, file = make(kind), tmp_path / "certificate.json"
    report = certify(model, norm=norm, accuracy=1e-3)
    assert report.trust == "rigorous-float"
    assert 0 < report.lower_bound <= report.bound
    report.certificate.save(file)
    assert checking.check(model, Certificate.load(file)).trust == "exact"
    network, pair = load(model), norms.parse(norm)
    rng = np.random.default_rng(0)
    for size in (0.01, 0.1, 1.0, 10.0):
        X, Y = rng.standard_normal((2, 4, 500)) * size
        moved = pair.output.of(network.evaluate(X) - network.evaluate(Y))
        assert (moved <= report.bound * pair.input.of(X - Y)).all()
