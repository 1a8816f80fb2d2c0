"""Nodes that contradict ONNX, and nodes that are readable but not certified."""

from typing import Any

import numpy as np
import pytest
from importer_models import node
from importer_refusals import assert_wrong, build, refused, relu_model
from onnx import FunctionProto, NodeProto, TensorProto, helper

ONES = {"w": np.ones((3, 2), np.float32), "k": np.ones((4, 2, 3, 3), np.float32)}


# Nodes that contradict ONNX ---------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (node("MatMul", ["w", "x"], ["y"]), "do not fit"),
        (node("Add", ["x", "w"], ["y"]), "shape mismatch"),
        (node("Gemm", ["x", "w"], ["y"], transB=1), "do not fit"),
        (node("Gemm", ["x", "k"], ["y"]), "expected a matrix"),
        (node("Conv", ["x", "k"], ["y"]), "do not fit"),
        (node("GlobalAveragePool", ["x", "w"], ["y"]), "2 inputs"),
        (node("Relu", ["x"], ["y", "z"]), "2 outputs"),
        (node("Add", ["x", ""], ["y"]), "input B is missing"),
        (node("Concat", ["x", "w"], ["y"]), "'axis' is missing"),
        (node("Relu", ["x"], ["y"], slope=2.0), "no attribute 'slope'"),
        (node("LeakyRelu", ["x"], ["y"], alpha=1), "'alpha' has the wrong type"),
        (node("LeakyRelu", ["x"], ["y"], alpha=np.nan), "alpha is nan"),
        (node("AveragePool", ["x"], ["y"], kernel_shape=[2]), "no axis"),
        (node("ReduceMean", ["x"], ["y"], axes=[2]), "axes [2]"),
        (node("Transpose", ["x"], ["y"], perm=[0, 0]), ""),
        (node("Gather", ["x", "w"], ["y"]), ""),
    ],
    ids=str,
)
def test_wrong_node(wrong: NodeProto, part: str) -> None:
    wrong.name = "culprit"
    assert_wrong(build([wrong], constants=ONES), f"{wrong.op_type} 'culprit'", part)


@pytest.mark.parametrize(
    ("attributes", "part"),
    [
        ({"group": 3}, "3 groups"),
        ({"kernel_shape": [3, 1]}, "kernel_shape"),
        ({"strides": [0, 1]}, "not positive"),
        ({"pads": [0, 0, -1, 0]}, "not positive"),
        ({"pads": [1, 1]}, "2 axes"),
        ({"pads": [1] * 4, "auto_pad": "VALID"}, "both pads and auto_pad"),
        ({"auto_pad": "SAME"}, "unknown"),
        ({"dilations": [3, 3]}, "does not fit"),
    ],
    ids=str,
)
def test_wrong_convolution(attributes: dict[str, Any], part: str) -> None:
    model = build([node("Conv", ["x", "k"], ["y"], **attributes)], (1, 2, 5, 5), ONES)
    assert_wrong(model, "Conv 'y'", part)


def test_folding_that_fails() -> None:
    nodes = [node("Reshape", ["w", "s"], ["v"]), node("Add", ["x", "v"], ["y"])]
    model = build(nodes, constants={**ONES, "s": np.array([4, 4])})
    assert_wrong(model, "Reshape 'v'")


# Nodes that are readable but not certified ------------------------------------------


def test_every_unsupported_node_is_listed() -> None:
    nodes = [
        node("LpPool", ["x"], ["a"], name="pool1", kernel_shape=[2, 2]),
        node("Relu", ["a"], ["b"]),
        node("Exp", ["b"], ["c"]),
        node("Flatten", ["c"], ["d"]),
        node("GlobalAveragePool", ["x"], ["e"]),
        node("Mul", ["e", "e"], ["f"], name="square"),
        node("Frobnicate", ["e"], ["g"], domain="com.example"),
        node("Sum", ["d", "f", "g"], ["h"]),
        node("Hardmax", ["h"], ["y"]),
    ]
    assert refused(build(nodes, (1, 2, 4, 4))) == [
        "LpPool 'pool1': not supported yet",
        "Exp 'c': has unbounded slope, so it has no global Lipschitz constant",
        "Mul 'square': product of two activations has no global Lipschitz constant",
        "Frobnicate 'g': operators of domain 'com.example' are not supported",
        "Hardmax 'y': jumps, so it has no Lipschitz constant",
    ]


@pytest.mark.parametrize(
    ("unsupported", "reason"),
    [
        (node("Sign", ["x"], ["y"]), "jumps"),
        (node("Pow", ["x", "t"], ["y"]), "unbounded slope"),
        (node("Div", ["t", "x"], ["y"]), "division by an activation"),
        (node("Mul", ["x", "x"], ["y"]), "product of two activations"),
        (node("MatMul", ["x", "x"], ["y"]), "product of two activations"),
        (node("Gemm", ["x", "x"], ["y"], transB=1), "product of two activations"),
        (node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16), "rounds"),
        (node("Cast", ["x"], ["y"], to=TensorProto.INT64), "rounds"),
        (node("Dropout", ["x", "", "yes"], ["y"]), "training mode"),
        (node("RandomNormalLike", ["x"], ["y"]), "random"),
        (node("NoSuchThing", ["x"], ["y"]), "no such operator"),
        (node("Pad", ["x", "pads"], ["y"], mode="edge"), "negative pads"),
        (node("Tile", ["t", "x"], ["y"]), "must be constant"),
    ],
    ids=str,
)
def test_unsupported_node(unsupported: NodeProto, reason: str) -> None:
    constants = {
        "t": np.ones((3, 3), np.float32),
        "yes": np.array(True),
        "pads": np.array([0, -1, 0, 0]),
    }
    (line,) = refused(build([unsupported], (3, 3), constants))
    assert line.startswith(f"{unsupported.op_type} 'y': ")
    assert reason in line


def test_random_constants() -> None:
    nodes = [
        node("RandomNormal", [], ["r"], shape=[1, 3]),
        node("Add", ["x", "r"], ["y"]),
    ]
    assert refused(build(nodes)) == ["RandomNormal 'r': is random"]


def test_constants_that_depend_on_an_element_type() -> None:
    constants = {"a": np.full(3, 0.1, np.float32), "b": np.ones(3, np.float16)}
    nodes = [node("CastLike", ["a", "b"], ["c"]), node("Add", ["x", "c"], ["y"])]
    assert refused(build(nodes, constants=constants)) == [
        "CastLike 'c': casts constants to float16, which rounds them"
    ]
    nodes[0] = node("BitCast", ["a"], ["c"], to=TensorProto.INT32)
    assert refused(build(nodes, constants=constants, opset=26)) == [
        "BitCast 'c': jumps, so it has no Lipschitz constant"
    ]


def test_constants_of_a_version_without_implementation() -> None:
    constants = {"q": np.ones(3, np.int8), "s": np.ones(1, np.float32)[0]}
    nodes = [
        node("DequantizeLinear", ["q", "s"], ["c"]),
        node("Mul", ["x", "c"], ["y"]),
    ]
    (line,) = refused(build(nodes, constants=constants, opset=13))
    assert "not implemented for constants in opset 13" in line


def test_control_flow_on_constants() -> None:
    branch = helper.make_graph(
        [node("Constant", [], ["c"], value_float=1.0)],
        "branch",
        [],
        [helper.make_empty_tensor_value_info("c")],
    )
    nodes = [
        node("If", ["yes"], ["r"], then_branch=branch, else_branch=branch),
        node("Add", ["x", "r"], ["y"]),
    ]
    (line,) = refused(build(nodes, constants={"yes": np.array(True)}))
    assert line == "If 'r': control flow is not supported"


def test_training_batch_normalisation() -> None:
    parameters = {name: np.ones(3, np.float32) for name in "sbmv"}
    inputs = ["x", *parameters]
    trained = node("BatchNormalization", inputs, ["y", "m2", "v2"], training_mode=1)
    (line,) = refused(build([trained], constants=parameters))
    assert "training mode" in line
    old = node("BatchNormalization", inputs, ["y", "m2", "v2", "m3", "v3"])
    (line,) = refused(build([old], constants=parameters, opset=9))
    assert "training mode" in line


def test_weights_computed_from_the_input() -> None:
    nodes = [node("Conv", ["k", "x"], ["y"], name="hyper")]
    (line,) = refused(build(nodes, (2, 2, 3, 3), ONES))
    assert line.startswith("Conv 'hyper': input W ('x') must be constant")


def test_operator_that_the_model_redefines() -> None:
    model = relu_model()
    model.functions.append(FunctionProto(name="Relu"))
    (line,) = refused(model)
    assert "redefines" in line
