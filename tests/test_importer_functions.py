"""Functions that a model defines: read as the nodes that they stand for."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import build, node, weights
from importer_refusals import assert_wrong, refused
from onnx import (
    AttributeProto,
    FunctionProto,
    ModelProto,
    NodeProto,
    helper,
    inliner,
    numpy_helper,
)

from geolip.importer import functions, load
from geolip.inspection import describe

CONSTANTS = {"w": weights(0, 4, 4), "b": weights(1, 4), "v": weights(2, 4, 4)}


def function(
    name: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    nodes: Sequence[NodeProto],
    attributes: Sequence[str] = (),
    defaults: Sequence[AttributeProto] = (),
    opset: int = 17,
) -> FunctionProto:
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    return helper.make_function(
        "local", name, inputs, outputs, nodes, imports, attributes, defaults
    )


def call(kind: str, inputs: Sequence[str], outputs: Sequence[str], **given: Any) -> Any:
    return node(kind, inputs, outputs, domain="local", **given)


def model(nodes: Sequence[NodeProto], *functions: FunctionProto) -> ModelProto:
    made = build(nodes, [1, 4], CONSTANTS)
    made.opset_import.append(helper.make_opsetid("local", 1))
    made.functions.extend(functions)
    return made


def reference(attribute: str, of: str, kind: int) -> AttributeProto:
    return AttributeProto(name=attribute, ref_attr_name=of, type=kind)


def leaky(defaults: Sequence[AttributeProto] = ()) -> FunctionProto:
    """Return a dense layer and its activation, of a slope that calls choose."""
    sloped = node("LeakyRelu", ["h"], ["out"])
    sloped.attribute.append(reference("alpha", "slope", AttributeProto.FLOAT))
    nodes = [
        node("MatMul", ["in", "weight"], ["g"]),
        node("Add", ["g", "bias"], ["h"]),
        sloped,
    ]
    names = [] if defaults else ["slope"]
    return function("layer", ["in", "weight", "bias"], ["out"], nodes, names, defaults)


LAYER = leaky()
TWICE = function(
    "twice",
    ["in"],
    ["out", "middle"],
    [
        node("Constant", [], ["w"], value=numpy_helper.from_array(weights(3, 4, 4))),
        node("Constant", [], ["h"], value=numpy_helper.from_array(weights(4, 4))),
        call("layer", ["in", "w", "h"], ["middle"], slope=0.5),
        call("layer", ["middle", "w", "h"], ["out"], slope=-0.25),
    ],
)
PAIR = function(
    "pair",
    ["a"],
    ["b", "c"],
    [node("Tanh", ["a"], ["b"]), node("Add", ["a", "b"], ["c"])],
)
SLOPE = helper.make_attribute("slope", 0.3)

MODELS = {
    "two calls of one": model(
        [
            call("layer", ["x", "w", "b"], ["h"], slope=0.1),
            call("layer", ["h", "v", "b"], ["y"], slope=0.2),
        ],
        LAYER,
    ),
    "an attribute that is not given": model(
        [call("layer", ["x", "w", "b"], ["y"])], LAYER
    ),
    "a default": model([call("layer", ["x", "w", "b"], ["y"])], leaky([SLOPE])),
    "not the default": model(
        [call("layer", ["x", "w", "b"], ["y"], slope=3.0)], leaky([SLOPE])
    ),
    "functions in functions": model(
        [call("twice", ["x"], ["g", "h"]), node("Add", ["g", "h"], ["y"])], TWICE, LAYER
    ),
    "names that meet those of the graph": model(
        [
            node("MatMul", ["x", "w"], ["g"]),
            node("Tanh", ["g"], ["f/g"]),
            call("layer", ["f/g", "v", "b"], ["h"], name="f", slope=0.2),
            node("Add", ["h", "g"], ["y"]),
        ],
        LAYER,
    ),
    "an output that nobody wants": model(
        [call("pair", ["x"], ["", "q"]), node("Relu", ["q"], ["y"])], PAIR
    ),
    "an optional input": model(
        [call("gemm", ["x", "w"], ["h"]), call("gemm", ["h", "v", "b"], ["y"])],
        function(
            "gemm", ["x", "y", "z"], ["w"], [node("Gemm", ["x", "y", "z"], ["w"])]
        ),
    ),
    "an older version that means the same": model(
        [call("relu", ["x"], ["y"])],
        function("relu", ["x"], ["y"], [node("Relu", ["x"], ["y"])], opset=14),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_like_onnxruntime(name: str) -> None:
    assert_like_onnxruntime(MODELS[name], [1, 4])


# ONNX 1.23 leaves defaults out as it inlines; onnxruntime does not.
@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"a default"}))
def test_like_inlined_by_onnx(name: str) -> None:
    other = load(inliner.inline_local_functions(MODELS[name]))
    network = load(MODELS[name])
    x = weights(5, 4, 20).astype(float)
    np.testing.assert_array_equal(network.evaluate(x), other.evaluate(x))


def test_the_model_stays_as_it_is() -> None:
    given = MODELS["functions in functions"]
    before = given.SerializeToString()
    load(given)
    assert given.SerializeToString() == before


def test_nodes_are_called_after_the_call() -> None:
    nodes = [call("twice", ["x"], ["y"], name="first")]
    layers = describe(load(model(nodes, TWICE, LAYER)))["layers"]
    assert [layer["name"] for layer in layers] == [
        "first/middle/out",
        "first/out/out",
    ]
    bad = function("bad", ["x"], ["y"], [node("Sign", ["x"], ["y"], name="step")])
    assert refused(model([call("bad", ["x"], ["y"], name="f")], bad)) == [
        "Sign 'f/step': jumps, so it has no Lipschitz constant"
    ]


# Functions that contradict ONNX -----------------------------------------------------


def relu(name: str = "f", inputs: Sequence[str] = ("x",)) -> FunctionProto:
    return function(name, inputs, ["y"], [node("Relu", ["x"], ["y"])])


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ([call("f", ["x"], ["y"]), relu(), relu()], "defined twice"),
        ([call("f", ["x", "b"], ["y"]), relu()], "1 inputs and 1 outputs"),
        ([call("f", ["x"], ["y", "z"]), relu()], "1 inputs and 1 outputs"),
        ([call("f", ["x"], ["y"], alpha=1.0), relu()], "no attribute 'alpha'"),
        ([call("f", ["x"], ["y"]), relu(inputs=["x", "x"])], "one name"),
        ([call("f", ["x"], ["y"]), relu(inputs=["x", "y"])], "one name"),
        ([call("f", [""], ["y"]), relu()], "input X is missing"),
        ([call("layer", ["x", "w", "b"], ["y"], slope=1), LAYER], "wrong type"),
        # What the function does not define is nothing that the graph defines.
        (
            [
                call("f", ["x"], ["y"]),
                function("f", ["x"], ["y"], [node("Add", ["x", "b"], ["y"])]),
            ],
            "'y/b'",
        ),
        (
            [call("f", ["x"], ["y"]), function("f", ["x"], ["x"], [])],
            "'x' is an input and an output",
        ),
        (
            [call("f", ["x"], ["y"]), function("f", ["x"], ["z"], [])],
            "'y' is computed by no node",
        ),
        (
            [
                call("f", ["x"], ["y"]),
                function("f", ["x"], ["y"], [call("f", ["x"], ["y"])]),
            ],
            "calls itself",
        ),
        (
            [
                call("f", ["x"], ["y"]),
                function("f", ["x"], ["y"], [call("g", ["x"], ["y"])]),
                function("g", ["x"], ["y"], [call("f", ["x"], ["y"])]),
            ],
            "calls itself",
        ),
        (
            [
                call("f", ["x"], ["y"]),
                function("f", ["x"], ["y"], [node("Split", ["x"], ["y"])], opset=12),
            ],
            "Split of opset 12",
        ),
        (
            [
                call("f", ["x"], ["y"]),
                function("f", ["x"], ["y"], [node("Relu", ["x"], ["y"])], opset=99),
            ],
            "opset version is 99",
        ),
    ],
    ids=range(15),
)
def test_wrong_function(wrong: Sequence[Any], part: str) -> None:
    first, *called = wrong
    assert_wrong(model([first], *called), part)


def test_functions_nobody_calls_are_not_looked_at() -> None:
    strange = FunctionProto(name="strange", domain="other", input=["x", "x"])
    assert load(model([node("Relu", ["x"], ["y"])], strange)).neurons == 4


def test_functions_that_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million laughs: each function calls the one before ten times."""
    monkeypatch.setattr(functions, "_MOST_NODES", 1000)
    made = [relu("f0")]
    for k in range(1, 9):
        links = pairwise(["x", *(f"h{i}" for i in range(9)), "y"])
        calls = [call(f"f{k - 1}", [a], [b]) for a, b in links]
        made.append(function(f"f{k}", ["x"], ["y"], calls))
    assert_wrong(model([call("f8", ["x"], ["y"])], *made), "1000 nodes")


def test_functions_that_nest_without_end() -> None:
    made = [relu("f0")]
    for k in range(1, 2000):
        inner = call(f"f{k - 1}", ["x"], ["y"])
        made.append(function(f"f{k}", ["x"], ["y"], [inner]))
    assert_wrong(model([call("f1999", ["x"], ["y"])], *made), "100 deep")
