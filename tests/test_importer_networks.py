"""What the imported network looks like: its blocks, names and linear maps."""

import numpy as np
from imported_values import assert_like_onnxruntime
from importer_models import build, integers, node, weights
from onnx import TensorProto, helper

from geolip import inspection
from geolip.importer import load

# Linear stretches -------------------------------------------------------------------


def test_chain_of_residual_additions_does_not_repeat_itself() -> None:
    nodes, constants, last = [], {}, "x"
    for k in range(40):
        constants[f"w{k}"] = 0.1 * weights(k, 3, 3)
        nodes.append(node("MatMul", [last, f"w{k}"], [f"h{k}"]))
        nodes.append(node("Add", [f"h{k}", last][:: 1 - 2 * (k % 2)], [f"s{k}"]))
        last = f"s{k}"
    assert_like_onnxruntime(build(nodes, [1, 3], constants), [1, 3])


def test_branches_from_one_linear_tensor() -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["h"]),
        node("Add", ["h", "h"], ["d"]),
        node("MatMul", ["h", "v"], ["a"]),
        node("Mul", ["h", "s"], ["b"]),
        node("Sum", ["a", "b", "d", "x"], ["y"]),
    ]
    shapes = {"w": (3, 3), "v": (3, 3), "s": (3,)}
    constants = {
        key: weights(k, *shape) for k, (key, shape) in enumerate(shapes.items())
    }
    assert_like_onnxruntime(build(nodes, [2, 3], constants), [2, 3])


def test_convolution_of_zeros_reads_nothing() -> None:
    zeros = {"w": np.zeros((4, 2, 3, 3), np.float32)}
    network = load(build([node("Conv", ["x", "w"], ["y"])], [1, 2, 5, 5], zeros))
    assert not network.output.terms


# Blocks, names and shapes -----------------------------------------------------------


def test_free_batch_is_one_and_names_are_kept() -> None:
    nodes = [
        node("Flatten", ["x"], ["f"]),
        node("Gemm", ["f", "w"], ["h"]),
        node("Relu", ["h"], ["r"], name="act"),
        node("Sigmoid", ["r"], ["y"]),
    ]
    network = load(build(nodes, ["batch", 2, 3], {"w": weights(0, 6, 4)}))
    assert network.input_shape == (1, 2, 3)
    assert (network.input_name, network.output_name) == ("x", "y")
    assert [block.name for block in network.blocks] == ["act", "y"]
    assert network.output.shape == (1, 4)
    assert load(build(nodes[:1], [5, 2, 3])).output.shape == (5, 6)


def test_inspection_names_a_fixed_batch_and_trivial_maps() -> None:
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Slice", ["r", "from", "to"], ["s"]),
        node("Add", ["s", "r"], ["y"]),
    ]
    ends = {"from": integers(0, 1), "to": integers(4, 2)}
    network = load(build(nodes, [4, 3], ends))
    content = inspection.describe(network)
    assert content["note"].startswith("the input has a fixed batch of 4;")
    assert inspection.table(network).splitlines()[-1] == f"note: {content['note']}"
    assert content["layers"][0]["reads"][0]["map"] == "identity"
    assert "+ identity" in content["output"]["reads"][0]["map"]
    cut = load(build(nodes[:2], ["n", 3], ends))
    assert inspection.describe(cut)["output"]["reads"][0]["map"] == "selection 1 x 3"
    assert inspection.describe(cut)["note"] is None


def test_no_hidden_layer() -> None:
    network = load(build([node("Gemm", ["x", "w"], ["y"])], [1, 3], {"w": np.eye(3)}))
    assert not network.blocks
    (operator,) = network.output.terms.values()
    np.testing.assert_array_equal(operator.dense(), np.eye(3))


def test_identity_activation_makes_no_block() -> None:
    network = load(build([node("LeakyRelu", ["x"], ["y"], alpha=1.0)], [1, 3]))
    assert not network.blocks


def test_output_that_ignores_the_input() -> None:
    nodes = [node("Slice", ["c", "from", "to"], ["y"])]
    bounds = {"from": integers(1), "to": integers(3)}
    joined = [node("Concat", ["x", "k"], ["c"], axis=0), *nodes]
    network = load(build(joined, [1], {"k": weights(0, 2), **bounds}))
    np.testing.assert_array_equal(network.output.bias, weights(0, 2))
    assert not network.output.terms


def test_constant_side_of_a_cut_tensor_may_be_a_factor() -> None:
    nodes = [
        node("Concat", ["x", "k"], ["c"], axis=0),
        node("Split", ["c"], ["a", "b"], axis=0),
        node("Mul", ["a", "b"], ["y"]),
    ]
    model = build(nodes, [2], {"k": weights(0, 2)}, opset=11)
    assert_like_onnxruntime(model, [2])


def test_dead_nodes_are_ignored() -> None:
    nodes = [
        node("Exp", ["x"], ["dead"]),
        node("Unheard", ["dead"], ["of"], domain="somewhere.else"),
        node("Relu", ["x"], ["y"]),
    ]
    assert len(load(build(nodes, [1, 3])).blocks) == 1


def test_initialisers_listed_as_inputs_before_ir_4() -> None:
    model = build([node("Gemm", ["x", "w"], ["y"])], [1, 3], {"w": weights(0, 3, 2)})
    listed = helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2])
    model.graph.input.append(listed)
    model.ir_version = 3
    assert load(model).input_name == "x"


def test_shape_of_an_activation_is_known() -> None:
    nodes = [node("Relu", ["x"], ["r"]), node("Shape", ["r"], ["y"], start=1)]
    network = load(build(nodes, ["n", 3, 4], opset=15))
    np.testing.assert_array_equal(network.output.bias, [3, 4])
