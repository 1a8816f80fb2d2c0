"""Activations of several nodes are read as one, and only where that is exact."""

import numpy as np
import pytest
from composite_models import COMPOSITES, IMPOSTORS, Graph, gelu, softplus
from importer_models import build, node
from imported_values import evaluate
from onnx.reference import ReferenceEvaluator

from geolip.errors import UnsupportedModelError
from geolip.importer import load

CASES = [
    pytest.param(name, make, id=f"{name}-{k}")
    for name, makers in COMPOSITES.items()
    for k, make in enumerate(makers)
]
POINTS = [-60.0, -8.0, -1.2, 0.0, 2.5], [0.1, 1.5, 3.0, 30.0, 60.0]


def assert_same_values(network, model) -> None:
    session = ReferenceEvaluator(model)
    for row in POINTS:
        x = np.array([row], np.float32)
        with np.errstate(all="ignore"):
            (wanted,) = session.run(None, {"x": x})
        finite = np.isfinite(wanted)  # exp overflows in float32
        found = evaluate(network, x)
        np.testing.assert_allclose(found[finite], wanted[finite], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("nodes_only", [False, True])
@pytest.mark.parametrize(("name", "make"), CASES)
def test_composite_is_one_activation(name, make, nodes_only):
    graph = Graph(nodes_only)
    make(graph, graph("Identity", "x"))
    model = graph.model()
    network = load(model)
    (block,) = network.blocks
    assert block.activation.name == name
    assert network.inexact == ()
    assert_same_values(network, model)


@pytest.mark.parametrize("make", IMPOSTORS.values(), ids=[*IMPOSTORS])
def test_what_only_looks_like_a_pattern_is_refused(make):
    graph = Graph()
    make(graph, "x")
    with pytest.raises(UnsupportedModelError):
        load(graph.model())
