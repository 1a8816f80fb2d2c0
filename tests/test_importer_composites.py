"""Activations of several nodes are read as one, and only where that is exact."""

import numpy as np
import pytest
from composite_models import ABOVE, BELOW, COMPOSITES, IMPOSTORS, SQRT2, Graph, softplus
from hypothesis import given, settings
from hypothesis import strategies as st
from imported_values import evaluate
from importer_models import node
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from geolip.errors import ModelError, UnsupportedModelError
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


def load_graph(graph, opset=17):
    model = graph.model(opset)
    network = load(model)
    assert_same_values(network, model)
    return network


def names_of(network):
    return [block.activation.name for block in network.blocks]


def test_composites_in_a_row_and_beside_residual_links():
    graph, x = Graph(), "x"
    for make in (COMPOSITES[name][0] for name in ("Gelu", "Swish", "Mish", "Gelu")):
        x = graph("Add", x, make(graph, graph("Mul", graph("Add", x, 0.5), 1.5)))
    assert names_of(load_graph(graph)) == ["Gelu", "Swish", "Mish", "Gelu"]


def test_the_inner_composite_of_two_is_not_read():
    graph = Graph()
    graph("Mul", "x", graph("Tanh", softplus(graph, "x")))
    assert names_of(load_graph(graph)) == ["Mish"]


def test_what_others_read_of_a_composite_is_read_as_well():
    graph = Graph()
    error = graph("Erf", graph("Div", "x", SQRT2))
    half = graph("Mul", graph("Mul", "x", graph("Add", error, 1.0)), 0.5)
    graph("Sub", half, error)
    assert sorted(names_of(load_graph(graph))) == ["Erf", "Gelu"]


def test_what_others_read_of_a_composite_is_refused_as_ever():
    graph = Graph()
    power = graph("Exp", "x")
    graph("Add", graph("Log", graph("Add", power, 1.0)), power)
    with pytest.raises(UnsupportedModelError, match="Exp 't0': has unbounded slope"):
        load(graph.model())


def test_a_factor_that_is_left_over_is_kept():
    graph = Graph()
    graph("Mul", graph("Sigmoid", "x"), graph("Mul", 3.0, "x"))
    network = load_graph(graph)
    assert names_of(network) == ["Swish"]
    (factor,) = network.output.terms.values()
    assert factor.apply(np.ones((5, 1)))[0] == 3.0


def test_a_factor_that_is_no_float_is_rounded_once():
    graph = Graph()
    graph("Mul", graph("Div", graph("Sigmoid", "x"), 3.0), "x")
    network = load_graph(graph)
    assert network.output.linear.roundings == 1


def test_clip_of_old_models():
    graph = Graph()
    ends = graph("Clip", graph("Add", "x", 3.0), min=0.0, max=6.0)
    graph("Mul", "x", graph("Div", ends, 6.0))
    assert names_of(load_graph(graph, opset=10)) == ["HardSwish"]


def test_constants_with_axes_raise_the_rank():
    graph = Graph()
    half = graph("Mul", "x", "half")
    graph("Mul", half, graph("Add", graph("Erf", "x"), 1.0))
    graph.constants["half"] = np.full((1, 1, 1), 0.5, np.float32)
    assert load_graph(graph).output.shape == (1, 1, 5)


def test_constants_that_differ_between_entries_are_no_pattern():
    graph = Graph()
    graph("Mul", "x", graph("Sigmoid", graph("Mul", "x", "each")))
    graph.constants["each"] = np.arange(5, dtype=np.float32)
    with pytest.raises(UnsupportedModelError, match="product of two activations"):
        load(graph.model())


@pytest.mark.parametrize(("value", "exact"), [(1.702, True), (0.1, False)])
def test_constants_in_the_type_of_the_input(value, exact):
    """As in the bodies of functions; 0.1 is stored in float64, which a cast rounds."""
    graph = Graph()
    slope = graph("CastLike", "slope", "x")
    graph("Mul", "x", graph("Sigmoid", graph("Mul", slope, "x")))
    stored = np.float32(value) if exact else np.float64(value)
    graph.constants["slope"] = np.array(stored)
    if exact:
        assert names_of(load_graph(graph)) == ["Swish"]
    else:
        with pytest.raises(UnsupportedModelError, match="rounds them"):
            load(graph.model())


def test_constants_in_a_type_that_is_not_known_are_no_pattern():
    graph = Graph()
    wide = graph("Cast", "x", to=TensorProto.DOUBLE)
    slope = graph("CastLike", "slope", wide)
    graph("Mul", wide, graph("Sigmoid", graph("Mul", slope, wide)))
    graph.constants["slope"] = np.array(2.0)
    with pytest.raises(UnsupportedModelError, match="product of two activations"):
        load(graph.model())


def test_redefined_operators_are_no_pattern():
    graph = Graph()
    COMPOSITES["Gelu"][0](graph, "x")
    model = graph.model()
    body = [node("Relu", ["a"], ["b"])]
    opsets = [helper.make_opsetid("", 17)]
    erf = helper.make_function("", "Erf", ["a"], ["b"], body, opsets)
    model.functions.append(erf)
    with pytest.raises(UnsupportedModelError, match="redefines this operator"):
        load(model)


def test_malformed_nodes_are_no_pattern():
    graph = Graph()
    graph("Mul", "x", graph("Sigmoid", "x", steepness=2.0))
    with pytest.raises(ModelError, match="no attribute 'steepness'"):
        load(graph.model())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_read_has_the_models_values(data):
    """Random small graphs of the operators that patterns consist of."""
    graph, names = Graph(), ["x"]
    for _ in range(data.draw(st.integers(2, 6))):
        kind = data.draw(
            st.sampled_from(["Mul", "Add", "Sub", "Unary", "Div", "Where"])
        )
        left = data.draw(st.sampled_from(names[-3:]))
        right = data.draw(st.sampled_from([*names[-3:], 0.5, 1.0, 2.0]))
        if kind == "Unary":
            kind = data.draw(st.sampled_from(["Sigmoid", "Erf", "Tanh", "Softplus"]))
            names.append(graph(kind, left))
        elif kind == "Where":
            compared = data.draw(st.sampled_from([*ABOVE, *BELOW]))
            end = data.draw(st.sampled_from([*names[-3:], 0.0, 0.5]))
            other = data.draw(st.sampled_from([*names[-3:], 0.0]))
            names.append(graph("Where", graph(compared, left, end), right, other))
        else:
            names.append(graph(kind, left, right))
    try:
        network = load(graph.model())
    except UnsupportedModelError:
        return
    x = np.array([[-1.5, -0.3, 0.2, 1.0, 2.0]], np.float32)
    with np.errstate(all="ignore"):  # in nodes that nobody reads
        (wanted,) = ReferenceEvaluator(graph.model()).run(None, {"x": x})
    np.testing.assert_allclose(evaluate(network, x), wanted, rtol=1e-3, atol=1e-3)
