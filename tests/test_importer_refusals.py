"""What the importer refuses, with which error, and what the message names."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import (
    FunctionProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    numpy_helper,
    save_model,
)

from geolip.errors import ModelError, UnsupportedModelError, UsageError
from geolip.importer import load

node = helper.make_node


def build(
    nodes: Sequence[NodeProto],
    shape: Sequence[int | str | None] | None = (1, 3),
    constants: Mapping[str, NDArray[Any]] | None = None,
    opset: int = 17,
    element: int = TensorProto.FLOAT,
) -> ModelProto:
    """Return the model from tensor ``x`` to tensor ``y``."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(a, name) for name, a in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def relu_model() -> ModelProto:
    return build([node("Relu", ["x"], ["y"])])


def refused(model: Any) -> list[str]:
    """Return the lines of an `UnsupportedModelError`."""
    with pytest.raises(UnsupportedModelError) as caught:
        load(model)
    return list(caught.value.problems)


def assert_wrong(model: Any, *parts: str) -> None:
    """Expect a plain `ModelError` of one line that says all of ``parts``."""
    with pytest.raises(ModelError) as caught:
        load(model)
    message = str(caught.value)
    assert not isinstance(caught.value, UnsupportedModelError), message
    assert "\n" not in message
    for part in parts:
        assert part in message


# Files ------------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.onnx does not exist"):
        load(tmp_path / "nowhere.onnx")


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        load(str(tmp_path))


def test_text_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.onnx"
    path.write_text("This is no network.\n")
    assert_wrong(path, "notes.onnx is not an ONNX model")


def test_bytes_that_are_no_model() -> None:
    content = relu_model().SerializeToString()
    assert_wrong(b"This is no network.", "bytes are not an ONNX model")
    assert_wrong(b"", "no input")
    for length in range(1, len(content)):
        assert_wrong(content[:length])


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()
    assert_wrong(path, "the graph has no input")


def test_truncated_file(tmp_path: Path) -> None:
    content = relu_model().SerializeToString()
    path = tmp_path / "half.onnx"
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        assert_wrong(path)


def test_missing_external_data(tmp_path: Path) -> None:
    weights = {"w": np.ones((3, 2), np.float32)}
    model = build([node("MatMul", ["x", "w"], ["y"])], constants=weights)
    path = tmp_path / "model.onnx"
    save_model(model, path, save_as_external_data=True, location="w", size_threshold=0)
    (tmp_path / "w").unlink()
    assert_wrong(path, "external data")


def test_external_data_of_a_model_in_memory() -> None:
    weights = {"w": np.ones((3, 2), np.float32)}
    model = build([node("MatMul", ["x", "w"], ["y"])], constants=weights)
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    assert_wrong(model, "'w'", "outside the model")
    constant = node("Constant", [], ["w"], value=model.graph.initializer[0])
    model = build([constant, node("Add", ["x", "w"], ["y"])])
    assert_wrong(model, "Constant 'w'", "outside the model")


@pytest.mark.parametrize("model", [3, None, relu_model, np.eye(2)])
def test_not_a_model(model: Any) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(model)


# Graphs -----------------------------------------------------------------------------


def test_empty_model() -> None:
    assert_wrong(ModelProto(), "no input")


def test_no_output() -> None:
    model = relu_model()
    del model.graph.output[:]
    assert_wrong(model, "no output")


def test_output_that_nothing_computes() -> None:
    model = relu_model()
    model.graph.output[0].name = "z"
    assert_wrong(model, "'z'", "computed by no node")


def test_several_inputs_or_outputs() -> None:
    model = relu_model()
    model.graph.input.append(helper.make_tensor_value_info("u", TensorProto.FLOAT, [1]))
    assert_wrong(model, "2 inputs", "'x', 'u'")
    model = relu_model()
    model.graph.output.append(helper.make_empty_tensor_value_info("x"))
    assert_wrong(model, "2 outputs", "'y', 'x'")


def test_initialiser_that_is_also_an_input() -> None:
    weights = {"w": np.ones((3, 2), np.float32)}
    model = build([node("MatMul", ["x", "w"], ["y"])], constants=weights)
    model.graph.input.append(
        helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2])
    )
    assert_wrong(model, "'w'", "also inputs")


def test_cycle() -> None:
    nodes = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])]
    model = build([*nodes, node("Relu", ["b"], ["y"])])
    assert_wrong(model, "Add 'a'", "'b'", "cycle")


def test_nodes_out_of_order() -> None:
    model = build([node("Relu", ["a"], ["y"]), node("Tanh", ["x"], ["a"])])
    assert_wrong(model, "Relu 'y'", "'a'", "out of order")


def test_missing_tensor() -> None:
    model = build([node("Add", ["x", "lost"], ["y"], name="sum")])
    assert_wrong(model, "Add 'sum'", "'lost'")


@pytest.mark.parametrize("name", ["x", "w", "h"])
def test_duplicate_tensor(name: str) -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["h"]),
        node("Tanh", ["h"], [name]),
        node("Relu", ["h"], ["y"]),
    ]
    model = build(nodes, constants={"w": np.ones((3, 2), np.float32)})
    assert_wrong(model, repr(name), "2 times")


def test_sparse_initialiser() -> None:
    model = relu_model()
    model.graph.sparse_initializer.add()
    assert_wrong(model, "sparse")


@pytest.mark.parametrize("opset", [6, 999])
def test_unknown_opset(opset: int) -> None:
    model = relu_model()
    model.opset_import[0].version = opset
    assert_wrong(model, f"opset version is {opset}")


def test_no_opset() -> None:
    model = relu_model()
    del model.opset_import[:]
    assert_wrong(model, "opset version is none")


@pytest.mark.parametrize("element", [TensorProto.INT64, TensorProto.STRING, 0])
def test_input_that_is_not_real(element: int) -> None:
    model = build([node("Relu", ["x"], ["y"])], element=element)
    assert_wrong(model, "input 'x'", "expected FLOAT")


def test_input_without_shape() -> None:
    assert_wrong(build([node("Relu", ["x"], ["y"])], shape=None), "input 'x'", "rank")


def test_negative_dimension() -> None:
    assert_wrong(build([node("Relu", ["x"], ["y"])], shape=(-1, 3)), "input 'x'", "-1")


@pytest.mark.parametrize("size", [2**48, 2**62])
def test_input_of_impossible_size(size: int) -> None:
    assert_wrong(build([node("Relu", ["x"], ["y"])], shape=(8, size)), "input 'x'")


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        (("n", 3, "height", 5), "(n, 3, height, 5)"),
        ((1, None), "(1, ?)"),
        ((None, None), "(?, ?)"),
        ((2, 0, 3), "(2, ?, 3)"),
    ],
)
def test_free_dimension_after_the_first(
    shape: Sequence[int | str | None], shown: str
) -> None:
    model = build([node("Relu", ["x"], ["y"])], shape)
    assert_wrong(model, "input 'x'", f"shape {shown}", "export", "fixed shape")


# Stored numbers ---------------------------------------------------------------------


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("operator", ["MatMul", "Add", "Gemm"])
def test_weights_that_are_not_finite(operator: str, number: float) -> None:
    W = np.ones((3, 3), np.float32)
    W[1, 2] = number
    model = build([node(operator, ["x", "weight"], ["y"])], constants={"weight": W})
    assert_wrong(model, f"{operator} 'y'", "'weight'", "NaN or infinite")


def test_weights_that_are_not_finite_but_unused() -> None:
    nodes = [node("Add", ["x", "w"], ["dead"]), node("Relu", ["x"], ["y"])]
    load(build(nodes, constants={"w": np.full(3, np.nan, np.float32)}))


def test_weights_of_the_wrong_type() -> None:
    model = build([node("Add", ["x", "w"], ["y"])], constants={"w": np.arange(3)})
    assert_wrong(model, "Add 'y'", "'w'", "int64")


def scalings(name: str, factor: str, before: str) -> list[NodeProto]:
    """Return nine products by the tensor ``factor``, the last one called ``name``."""
    names = [before, *(f"{name}{k}" for k in range(8)), name]
    return [node("Mul", [a, factor], [b]) for a, b in pairwise(names)]


@pytest.mark.parametrize("large_first", [False, True])
def test_products_of_weights_beyond_float64(large_first: bool) -> None:
    first, second = ("large", "small")[:: 1 if large_first else -1]
    nodes = [
        *scalings("h", first, "x"),
        node("Relu", ["h"], ["r"], name="act"),
        *scalings("y", second, "r"),
    ]
    constants = {"small": np.array(2.0**-120), "large": np.array(2.0**120)}
    assert_wrong(build(nodes, constants=constants), "'act'", "range", "rescale")
    # The same products in the last layer, after a block that is fine.
    last = build([node("Relu", ["x"], ["r"]), *scalings("y", second, "r")])
    last.graph.initializer.extend(
        numpy_helper.from_array(a, name) for name, a in constants.items()
    )
    assert_wrong(last, "output 'y'", "range", "rescale")


def test_weights_with_too_few_bytes() -> None:
    W = np.ones((3, 2), np.float32)
    model = build([node("MatMul", ["x", "w"], ["y"])], constants={"w": W})
    model.graph.initializer[0].raw_data = b"1234"
    assert_wrong(model, "tensor 'w'")


@pytest.mark.parametrize("dims", [[-3, -2], [2**62, 2**62]])
def test_weights_with_impossible_shapes(dims: list[int]) -> None:
    W = np.ones((3, 2), np.float32)
    model = build([node("MatMul", ["x", "w"], ["y"])], constants={"w": W})
    model.graph.initializer[0].dims[:] = dims
    assert_wrong(model, "tensor 'w'")


def test_division_by_zero() -> None:
    model = build([node("Div", ["x", "w"], ["y"])], constants={"w": np.zeros(3)})
    assert_wrong(model, "Div 'y'", "divide by zero")


def test_negative_variance() -> None:
    parameters = {name: np.ones(3, np.float32) for name in "sbm"}
    parameters["v"] = np.full(3, -1.0, np.float32)
    model = build(
        [node("BatchNormalization", ["x", *parameters], ["y"])], constants=parameters
    )
    assert_wrong(model, "BatchNormalization 'y'", "variance")


# Nodes that contradict ONNX ---------------------------------------------------------

ONES = {"w": np.ones((3, 2), np.float32), "k": np.ones((4, 2, 3, 3), np.float32)}


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
        node("MaxPool", ["x"], ["a"], name="pool1", kernel_shape=[2, 2]),
        node("Relu", ["a"], ["b"]),
        node("Exp", ["b"], ["c"]),
        node("Flatten", ["c"], ["d"]),
        node("GlobalAveragePool", ["x"], ["e"]),
        node("Mul", ["e", "e"], ["f"], name="square"),
        node("Frobnicate", ["e"], ["g"], domain="com.example"),
        node("Sum", ["d", "f", "g"], ["h"]),
        node("Softmax", ["h"], ["y"]),
    ]
    assert refused(build(nodes, (1, 2, 4, 4))) == [
        "MaxPool 'pool1': not supported yet",
        "Exp 'c': has unbounded slope, so it has no global Lipschitz constant",
        "Mul 'square': product of two activations has no global Lipschitz constant",
        "Frobnicate 'g': operators of domain 'com.example' are not supported",
        "Softmax 'y': is no scalar activation: remove it and certify what it reads",
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
    constants = {"a": np.ones(3, np.float32), "b": np.ones(3, np.float16)}
    nodes = [node("CastLike", ["a", "b"], ["c"]), node("Add", ["x", "c"], ["y"])]
    assert refused(build(nodes, constants=constants)) == [
        "CastLike 'c': not supported yet"
    ]


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
