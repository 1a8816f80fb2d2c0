"""Graphs of many operators against onnxruntime."""

from collections.abc import Sequence

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import Arrays, build, integers, node, weights
from onnx import NodeProto, TensorProto, numpy_helper

# One line each: what it tests, the opset, the shape of x, the nodes, the constants.
RECIPES: dict[str, tuple[int, Sequence[int], Sequence[NodeProto], Arrays]] = {
    "elementwise arithmetic, both ways": (
        17,
        (2, 1, 4),
        [
            node("Sub", ["a", "x"], ["u"]),
            node("Mul", ["b", "u"], ["v"]),
            node("Div", ["v", "c"], ["w"]),
            node("Neg", ["w"], ["n"]),
            node("Sum", ["n", "x", "a"], ["y"]),
        ],
        {"a": weights(0, 3, 4), "b": weights(1, 3, 1), "c": weights(2)},
    ),
    "a residual connection": (
        17,
        (1, 4),
        [
            node("Gemm", ["x", "w"], ["h"]),
            node("Relu", ["h"], ["r"]),
            node("Gemm", ["r", "w"], ["g"]),
            node("Add", ["g", "x"], ["s"]),
            node("Tanh", ["s"], ["t"]),
            node("Sub", ["t", "h"], ["y"]),
        ],
        {"w": weights(0, 4, 4)},
    ),
    "the same tensor twice": (
        17,
        (1, 4),
        [node("Relu", ["x"], ["r"]), node("Add", ["r", "r"], ["y"])],
        {},
    ),
    "branches, concatenated with a constant": (
        17,
        (1, 2, 3, 3),
        [
            node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
            node("Sigmoid", ["a"], ["b"]),
            node("LeakyRelu", ["x"], ["c"], alpha=0.2),
            node("Concat", ["b", "k", "c", "a"], ["d"], axis=1),
            node("Split", ["d", "parts"], ["e", "f"], axis=1),
            node("Concat", ["f", "e"], ["y"], axis=-1),
        ],
        {
            "w": weights(0, 3, 2, 3, 3),
            "k": weights(1, 1, 2, 3, 3),
            "parts": integers(5, 5),
        },
    ),
    "flattening by shape arithmetic": (
        13,
        (2, 3, 4, 4),
        [
            node("Shape", ["x"], ["s"]),
            node("Gather", ["s", "zero"], ["n"], axis=0),
            node("Unsqueeze", ["n", "axes"], ["m"]),
            node("Size", ["x"], ["z"]),
            node("Div", ["z", "n"], ["k"]),
            node("Unsqueeze", ["k", "axes"], ["l"]),
            node("Concat", ["m", "l"], ["t"], axis=0),
            node("Reshape", ["x", "t"], ["f"]),
            node("MatMul", ["f", "w"], ["y"]),
        ],
        {"zero": np.array(0), "axes": integers(0), "w": weights(0, 48, 5)},
    ),
    "a channels-last network": (
        11,
        (1, 6, 5, 2),
        [
            node("Transpose", ["x"], ["a"], perm=[0, 3, 1, 2]),
            node("Conv", ["a", "w"], ["b"], pads=[0, 1, 2, 1], strides=[2, 1]),
            node("Relu", ["b"], ["c"]),
            node("Transpose", ["c"], ["d"], perm=[0, 2, 3, 1]),
            node("Reshape", ["d", "shape"], ["y"]),
        ],
        {"w": weights(0, 3, 2, 3, 3), "shape": integers(0, -1)},
    ),
    "batch normalisation": (
        15,
        (2, 3, 2, 2),
        [
            node("BatchNormalization", ["x", "g", "b", "m", "v"], ["n"], epsilon=0.01),
            node("Relu", ["n"], ["r"]),
            node("GlobalAveragePool", ["r"], ["y"]),
        ],
        {
            "g": weights(0, 3),
            "b": weights(1, 3),
            "m": weights(2, 3),
            "v": weights(3, 3) ** 2,
        },
    ),
    "attributes of old versions": (
        9,
        (2, 3, 4, 1),
        [
            node("Squeeze", ["x"], ["a"], axes=[3]),
            node("Slice", ["a"], ["b"], axes=[2, 1], starts=[-3, 0], ends=[99, -1]),
            node("Pad", ["b"], ["c"], pads=[0, 1, 0, 0, 0, 2], value=0.5),
            node("Split", ["c"], ["d", "e"], axis=1, split=[1, 2]),
            node("Unsqueeze", ["e"], ["f"], axes=[0, 4]),
            node("ReduceMean", ["f"], ["g"], axes=[2], keepdims=0),
            node("ReduceSum", ["g"], ["h"], axes=[-1]),
            node("Dropout", ["h"], ["i"], ratio=0.5),
            node("Flatten", ["i"], ["y"], axis=2),
        ],
        {},
    ),
    "inputs of new versions": (
        21,
        (2, 3, 4, 1),
        [
            node("Squeeze", ["x", "last"], ["a"]),
            node("Slice", ["a", "ends", "starts", "axes", "steps"], ["b"]),
            node("Pad", ["b", "pads", "", "axes"], ["c"]),
            node("Split", ["c"], ["d", "e"], axis=1, num_outputs=2),
            node("Unsqueeze", ["d", "zero"], ["f"]),
            node("ReduceMean", ["f", "zero"], ["g"], keepdims=0),
            node("ReduceSum", ["g"], ["h"], noop_with_empty_axes=1),
            node("ReduceSum", ["h"], ["s"]),
            node("Add", ["s", "h"], ["y"]),
        ],
        {
            "last": integers(-1),
            "zero": integers(0),
            "starts": integers(-99, 0),
            "ends": integers(-1, 3),
            "axes": integers(1, 2),
            "steps": integers(-1, -2),
            "pads": integers(1, 0, 0, 2),
        },
    ),
    "padding that cuts": (
        13,
        (3, 4),
        [node("Pad", ["x", "pads", "fill"], ["y"])],
        {"pads": integers(-1, 2, 1, -3), "fill": np.array(0.25, np.float32)},
    ),
    "padding by the edge": (
        13,
        (3, 4),
        [
            node("Pad", ["x", "pads"], ["e"], mode="edge"),
            node("Pad", ["e", "pads"], ["y"], mode="reflect"),
        ],
        {"pads": integers(1, 2, 1, 0)},
    ),
    "gathering and repeating": (
        13,
        (3, 4),
        [
            node("Gather", ["x", "rows"], ["a"], axis=0),
            node("Expand", ["a", "shape"], ["b"]),
            node("Tile", ["b", "times"], ["c"]),
            node("Where", ["mask", "c", "k"], ["y"]),
        ],
        {
            "rows": integers(2, -1, 0),
            "shape": integers(2, 1, 1),
            "times": integers(1, 1, 2),
            "mask": np.arange(8) % 3 > 0,
            "k": weights(0, 8),
        },
    ),
    "depth and space": (
        13,
        (1, 8, 2, 3),
        [
            node("DepthToSpace", ["x"], ["a"], blocksize=2, mode="CRD"),
            node("Relu", ["a"], ["b"]),
            node("SpaceToDepth", ["b"], ["y"], blocksize=2),
        ],
        {},
    ),
    "constants of every form": (
        13,
        (2, 2),
        [
            node("Constant", [], ["a"], value_float=0.5),
            node("Constant", [], ["b"], value_floats=[1.0, 2.0]),
            node("Constant", [], ["c"], value_ints=[2, 2]),
            node("Constant", [], ["d"], value=numpy_helper.from_array(weights(0, 2))),
            node(
                "ConstantOfShape",
                ["c"],
                ["e"],
                value=numpy_helper.from_array(np.array([3.0], np.float32)),
            ),
            node("Constant", [], ["i"], value_int=2),
            node("Range", ["zero", "i", "one"], ["j"]),
            node("Cast", ["j"], ["k"], to=TensorProto.FLOAT),
            node("Sqrt", ["k"], ["l"]),
            node("Sum", ["x", "a", "b", "d", "e", "l"], ["y"]),
        ],
        {"zero": np.array(0), "one": np.array(1)},
    ),
    "a ReLU after the last layer": (
        13,
        (1, 3),
        [node("Gemm", ["x", "w"], ["h"]), node("Relu", ["h"], ["y"])],
        {"w": weights(0, 3, 4)},
    ),
    "no batch axis": (
        13,
        (3,),
        [
            node("MatMul", ["w", "x"], ["h"]),
            node("Relu", ["h"], ["r"]),
            node("MatMul", ["r", "v"], ["y"]),
        ],
        {"w": weights(0, 4, 3), "v": weights(1, 4, 2)},
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_recipe(name: str) -> None:
    opset, shape, nodes, constants = RECIPES[name]
    assert_like_onnxruntime(build(nodes, shape, constants, opset), shape)


@pytest.mark.parametrize("seed", range(12))
def test_random_network(seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels, nodes, constants = 4, [], {}
    tensors = ["x"]
    for step in range(10):
        last, name = tensors[-1], f"t{step}"
        kind = str(rng.choice(["conv", "affine", "sigma", "skip", "pool", "turn"]))
        match kind:
            case "conv":
                groups = int(rng.choice([1, 2, 4]))
                constants[f"w{step}"] = weights(
                    step, channels, channels // groups, 3, 3
                )
                inputs, options = [last, f"w{step}"], {"pads": [1] * 4, "group": groups}
                nodes.append(node("Conv", inputs, [name], **options))
            case "affine":
                constants[f"s{step}"] = weights(step, channels, 1, 1)
                operator = str(rng.choice(["Mul", "Add", "Sub"]))
                inputs = [last, f"s{step}"][:: int(rng.choice([1, -1]))]
                nodes.append(node(operator, inputs, [name]))
            case "sigma":
                operator = str(rng.choice(["Relu", "LeakyRelu", "Sigmoid", "Tanh"]))
                nodes.append(node(operator, [last], [name]))
            case "skip":
                nodes.append(node("Add", [last, str(rng.choice(tensors))], [name]))
            case "pool":
                options = {"kernel_shape": [3, 3], "pads": [1] * 4}
                nodes.append(node("AveragePool", [last], [name], **options))
            case "turn":
                nodes.append(node("Transpose", [last], [name], perm=[0, 1, 3, 2]))
        tensors.append(name)
    shape = (2, channels, 3, 3)
    assert_like_onnxruntime(build(nodes, shape, constants), shape)
