"""The importer against ONNX's own node cases, onnxruntime and closed forms."""

import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import (
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
    save_model,
)
from onnx.backend.test.loader import load_model_tests

from geolip import inspection
from geolip.errors import ModelError, UsageError
from geolip.importer import catalogue, from_matrices, load, load_with_hash, read
from geolip.linear import Composition, Convolution, Dense
from geolip.network import Network

Arrays = Mapping[str, NDArray[Any]]
node = helper.make_node

UNIT = Fraction(1, 2**53)


# ONNX's own node cases --------------------------------------------------------------

REAL = {
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
}

# Operators that may read the activation at any of these places, not only the first.
ANYWHERE = {"Add", "Concat", "Gemm", "MatMul", "Mul", "Sub", "Sum", "Where"}

# The casts that round nothing, by element types.
EXACT_CASTS = {
    (TensorProto.FLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT16, TensorProto.DOUBLE),
    (TensorProto.BFLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT, TensorProto.DOUBLE),
}

# A dimension of 0 stands for a free one, which is refused or 1.
ZERO_DIMENSION = {
    "test_reduce_sum_empty_set",
    "test_reduce_sum_empty_set_non_reduced_axis_zero",
    "test_reshape_allowzero_reordered",
}

# Its expected values are printed to four digits.
COARSE = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-3}


def onnx_cases() -> Iterator[Any]:
    """Yield every case of a supported operator, for each place of the activation."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = load_model_tests(kind="node")
    for case in cases:
        graph = case.model.graph
        if len(graph.node) != 1 or graph.node[0].domain or case.name in ZERO_DIMENSION:
            continue
        operator = graph.node[0]
        if operator.op_type not in catalogue.readers():
            continue
        places = [
            place
            for place, info in enumerate(graph.input)
            if info.name in operator.input and info.type.tensor_type.elem_type in REAL
        ]
        for place in places[: None if operator.op_type in ANYWHERE else 1]:
            yield pytest.param(case, place, id=f"{case.name}-{place}")


ONNX_CASES = list(onnx_cases())


def as_array(value: Any) -> NDArray[Any]:
    """Return a value of a node case, which may be a stored tensor."""
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value)


def with_one_input(
    model: ModelProto, place: int, values: Sequence[Any], output: ValueInfoProto
) -> ModelProto:
    """Return a copy of ``model`` in which all inputs but one are stored values."""
    single = ModelProto()
    single.CopyFrom(model)
    infos = list(model.graph.input)
    del single.graph.input[:], single.graph.output[:]
    single.graph.input.append(infos[place])
    single.graph.output.append(output)
    for number, (info, value) in enumerate(zip(infos, values, strict=True)):
        if number != place:
            stored = numpy_helper.from_array(as_array(value), info.name)
            single.graph.initializer.append(stored)
    return single


def refusal(name: str, model: ModelProto, size: int) -> str | None:
    """Return what the refusal of a case says, None if it must be read."""
    if "training" in name:
        return "training mode"
    types = [
        info.type.tensor_type.elem_type
        for info in (*model.graph.input, *model.graph.output)
    ]
    if model.graph.node[0].op_type == "Cast" and tuple(types) not in EXACT_CASTS:
        return "which rounds them"
    return None if size else "is empty"


@pytest.mark.parametrize(("case", "place"), ONNX_CASES)
def test_onnx_node_case(case: Any, place: int) -> None:
    for inputs, outputs in case.data_sets:
        for info, expected in zip(case.model.graph.output, outputs, strict=True):
            model = with_one_input(case.model, place, inputs, info)
            wanted = as_array(expected).astype(float)
            if (message := refusal(case.name, model, wanted.size)) is not None:
                with pytest.raises(ModelError, match=message):
                    load(model)
                continue
            network = load(model)
            assert network.output.shape == wanted.shape
            np.testing.assert_allclose(
                evaluate(network, as_array(inputs[place])),
                wanted,
                rtol=COARSE.get(case.name, 1e-5),
                atol=1e-6,
            )


def test_every_operator_has_a_node_case() -> None:
    covered = {case.values[0].model.graph.node[0].op_type for case in ONNX_CASES}
    assert set(catalogue.readers()) == covered


# Small models -----------------------------------------------------------------------


def build(
    nodes: Sequence[NodeProto],
    shape: Sequence[int | str],
    constants: Arrays | None = None,
    opset: int = 17,
    ir_version: int = 8,
    element: int = TensorProto.FLOAT,
) -> ModelProto:
    """Return the model from tensor ``x`` to the last node's first output."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_empty_tensor_value_info(nodes[-1].output[0])],
        [numpy_helper.from_array(a, name) for name, a in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def evaluate(network: Network, x: NDArray[Any]) -> NDArray[Any]:
    """Return the network's output tensor for one input tensor."""
    column = x.astype(float).reshape(-1, 1)
    return network.evaluate(column).reshape(network.output.shape)


def assert_like_onnxruntime(model: ModelProto, shape: Sequence[int]) -> Network:
    """Compare the imported network with onnxruntime at three random points."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    network = load(model)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.standard_normal(shape).astype(np.float32)
        (expected,) = session.run(None, {"x": x})
        assert network.output.shape == expected.shape
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        np.testing.assert_allclose(evaluate(network, x), expected, atol=1e-5 * scale)
    return network


def weights(seed: int, *shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def integers(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize("seed", range(24))
def test_convolution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    groups = int(rng.integers(1, 3))
    space = [int(n) for n in rng.integers(5, 8, rank)]
    taps = [int(n) for n in rng.integers(1, 4, rank)]
    attributes: dict[str, Any] = {
        "strides": [int(n) for n in rng.integers(1, 4, rank)],
        "group": groups,
    }
    automatic = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"][seed % 4]
    if automatic == "NOTSET":
        attributes["dilations"] = [int(n) for n in rng.integers(1, 3, rank)]
        attributes["pads"] = [int(rng.integers(0, n)) for n in taps * 2]
    else:
        attributes["auto_pad"] = automatic
    shape = [2, 2 * groups, *space]
    constants = {"w": weights(seed, 4, 2, *taps), "b": weights(seed, 4)}
    model = build(
        [node("Conv", ["x", "w", "b"], ["y"], **attributes)], shape, constants
    )
    network = assert_like_onnxruntime(model, shape)
    operator = network.output.terms[0]
    assert isinstance(operator, Convolution)
    np.testing.assert_array_equal(operator.kernel, constants["w"].astype(float))


@pytest.mark.parametrize("seed", range(24))
def test_average_pooling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    opset = (11, 19, 22)[seed // 3 % 3]
    space = [int(n) for n in rng.integers(5, 8, rank)]
    taps = [int(n) for n in rng.integers(1, 4, rank)]
    attributes: dict[str, Any] = {
        "kernel_shape": taps,
        "count_include_pad": int(rng.integers(2)),
    }
    automatic = ["NOTSET", "SAME_UPPER", "NOTSET", "VALID", "SAME_LOWER"][seed % 5]
    if automatic == "NOTSET":
        attributes["ceil_mode"] = int(rng.integers(2))
        attributes["pads"] = [int(rng.integers(0, n)) for n in taps * 2]
        attributes["strides"] = [int(n) for n in rng.integers(1, 4, rank)]
        if opset >= 19:
            attributes["dilations"] = [int(n) for n in rng.integers(1, 3, rank)]
    else:
        attributes["auto_pad"] = automatic
        attributes["strides"] = [int(rng.integers(1, n + 1)) for n in taps]
    shape = [2, 3, *space]
    model = build([node("AveragePool", ["x"], ["y"], **attributes)], shape, None, opset)
    assert_like_onnxruntime(model, shape)


MATRIX_SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((1, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((3, 4), (2, 5, 4, 3)),
    ((1, 1, 2, 3), (3, 1)),
    ((4, 5), (2, 5, 3)),
    ((3,), (2, 3, 4)),
    ((2, 3, 4), (4,)),
]


@pytest.mark.parametrize(("left", "right"), MATRIX_SHAPES)
@pytest.mark.parametrize("constant", ["left", "right"])
def test_matmul(left: tuple[int, ...], right: tuple[int, ...], constant: str) -> None:
    shape, other = (right, left) if constant == "left" else (left, right)
    names = ["w", "x"] if constant == "left" else ["x", "w"]
    model = build([node("MatMul", names, ["y"])], shape, {"w": weights(1, *other)})
    assert_like_onnxruntime(model, shape)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("transposed", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("addend", [(3, 4), (4,), (3, 1), (1,), ()])
def test_gemm(place: int, transposed: tuple[int, int], addend: tuple[int, ...]) -> None:
    trans_a, trans_b = transposed
    shapes = [(2, 3) if trans_a else (3, 2), (4, 2) if trans_b else (2, 4), addend]
    names = ["a", "b", "c"]
    constants = {
        name: weights(number, *shape)
        for number, (name, shape) in enumerate(zip(names, shapes, strict=True))
        if number != place
    }
    names[place] = "x"
    gemm = node(
        "Gemm", names, ["y"], alpha=0.7, beta=-1.5, transA=trans_a, transB=trans_b
    )
    model = build([gemm], shapes[place], constants)
    assert_like_onnxruntime(model, shapes[place])


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


# Roundings --------------------------------------------------------------------------


AVERAGES = {
    "AveragePool": node("AveragePool", ["x"], ["y"], kernel_shape=[1, 3]),
    "GlobalAveragePool": node("GlobalAveragePool", ["x"], ["y"]),
    "ReduceMean": node("ReduceMean", ["x"], ["y"], axes=[3]),
}


@pytest.mark.parametrize("kind", AVERAGES)
def test_averages_are_rounded_once(kind: str) -> None:
    (operator,) = load(build([AVERAGES[kind]], [1, 2, 1, 3])).output.terms.values()
    assert operator.roundings == 1
    (entry,) = np.unique(operator.dense()[operator.dense() != 0])
    error = abs(Fraction(float(entry)) * 3 - 1)
    assert 0 < error <= UNIT


def test_sums_products_and_pieces_are_not_rounded() -> None:
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Mul", ["s", "w"], ["m"]),
        node("Neg", ["m"], ["y"]),
    ]
    model = build(nodes, [1, 3], {"w": weights(0)})
    (operator,) = load(model).output.terms.values()
    assert isinstance(operator, Composition)
    assert all(factor.roundings == 0 for factor in operator.factors)


def test_quotients_are_rounded_once() -> None:
    divisors = weights(0, 5)
    model = build([node("Div", ["x", "w"], ["y"])], [1, 5], {"w": divisors})
    (operator,) = load(model).output.terms.values()
    assert operator.roundings == 1
    for entry, divisor in zip(np.diag(operator.dense()), divisors, strict=True):
        assert abs(Fraction(float(entry)) * Fraction(float(divisor)) - 1) <= UNIT


def normalisation(name: str, size: int) -> tuple[NodeProto, Arrays]:
    """Return a batch normalisation of tensor ``name`` to ``n``, with its parameters."""
    parameters = {key: np.abs(weights(k, size)) for k, key in enumerate("gbmv")}
    inputs = [name, *parameters]
    return node("BatchNormalization", inputs, ["n"], epsilon=0.01), parameters


def test_normalisation_is_rounded_three_times() -> None:
    normalise, constants = normalisation("x", 5)
    (operator,) = load(build([normalise], [1, 5], constants)).output.terms.values()
    assert operator.roundings == 3
    epsilon = Fraction(float(np.float32(0.01)))
    for entry, scale, variance in zip(
        np.diag(operator.dense()), constants["g"], constants["v"], strict=True
    ):
        # The square of the entry has twice its relative error.
        square = Fraction(float(entry)) ** 2 * (Fraction(float(variance)) + epsilon)
        assert abs(square / Fraction(float(scale)) ** 2 - 1) <= 6 * UNIT


@pytest.mark.parametrize("opset", [7, 9, 13, 14, 15, 17])
def test_normalised_constant(opset: int) -> None:
    normalise, constants = normalisation("c", 3)
    nodes = [normalise, node("Mul", ["x", "n"], ["y"])]
    model = build(nodes, [2, 3], {**constants, "c": weights(4, 2, 3)}, opset)
    assert_like_onnxruntime(model, [2, 3])


def test_normalised_constant_in_closed_form() -> None:
    normalise = node("BatchNormalization", ["c", *"gbmv"], ["n"], epsilon=0.0)
    constants = {
        "c": np.full((1, 1), 3.0, np.float32),
        "g": np.array([2.0], np.float32),
        "b": np.array([-1.0], np.float32),
        "m": np.array([0.0], np.float32),
        "v": np.array([4.0], np.float32),
    }
    nodes = [normalise, node("Mul", ["x", "n"], ["y"])]
    (operator,) = load(build(nodes, [1, 1], constants, 9)).output.terms.values()
    assert operator.dense().item() == 2.0


@pytest.mark.parametrize("opset", [7, 12, 13])
def test_dropped_constant(opset: int) -> None:
    nodes = [node("Dropout", ["c"], ["d"]), node("Mul", ["x", "d"], ["y"])]
    assert_like_onnxruntime(build(nodes, [3], {"c": weights(0, 3)}, opset), [3])


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


# What the network looks like --------------------------------------------------------


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


def test_weights_are_those_stored() -> None:
    W = weights(0, 3, 2)
    gemm = node("Gemm", ["x", "w"], ["y"], alpha=0.1)
    (operator,) = load(build([gemm], [1, 3], {"w": W})).output.terms.values()
    assert isinstance(operator, Composition)
    assert isinstance(operator.factors[1], Dense)
    np.testing.assert_array_equal(operator.factors[1].matrix, W.T.astype(float))


def test_arithmetic_on_weights_is_not_done_in_single_precision() -> None:
    a, b = np.float32(0.1), np.float32(0.3)
    nodes = [
        node("Mul", ["a", "b"], ["c"]),
        # The model declares FLOAT on both sides, so that nothing is rounded here.
        node("Cast", ["c"], ["d"], to=TensorProto.FLOAT),
        node("Mul", ["x", "d"], ["y"]),
    ]
    constants = {"a": np.array(a), "b": np.array(b)}
    (operator,) = load(build(nodes, [1], constants)).output.terms.values()
    assert operator.dense().item() == float(a) * float(b) != float(a * b)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (TensorProto.FLOAT16, TensorProto.FLOAT),
        (TensorProto.BFLOAT16, TensorProto.DOUBLE),
        (TensorProto.FLOAT, TensorProto.FLOAT),
    ],
)
def test_widening_cast_is_the_identity(source: int, target: int) -> None:
    cast = node("Cast", ["x"], ["y"], to=target)
    assert not load(build([cast], [3], element=source)).blocks


def test_half_precision_weights_are_widened() -> None:
    W = weights(0, 3, 2).astype(np.float16)
    nodes = [
        node("Cast", ["w"], ["v"], to=TensorProto.FLOAT),
        node("MatMul", ["x", "v"], ["y"]),
    ]
    (operator,) = load(build(nodes, [1, 3], {"w": W})).output.terms.values()
    np.testing.assert_array_equal(operator.dense(), W.T.astype(float))


def test_shape_of_an_activation_is_known() -> None:
    nodes = [node("Relu", ["x"], ["r"]), node("Shape", ["r"], ["y"], start=1)]
    network = load(build(nodes, ["n", 3, 4], opset=15))
    np.testing.assert_array_equal(network.output.bias, [3, 4])


# Ways in ----------------------------------------------------------------------------


def test_read_hashes_the_bytes_that_it_reads(tmp_path: Path) -> None:
    model = build([node("Relu", ["x"], ["y"])], [1, 3])
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    for given in (path, str(path)):
        parsed, digest = read(given)
        assert parsed == model
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert load(given).output_name == "y"
    content = model.SerializeToString()
    assert read(content) == (model, hashlib.sha256(content).hexdigest())
    assert load(content).output_name == "y"
    assert read(model)[0] is model
    assert read(model)[1] == hashlib.sha256(model.SerializeToString()).hexdigest()


def test_external_data_is_read_beside_the_model(tmp_path: Path) -> None:
    W = weights(0, 3, 2)
    model = build([node("MatMul", ["x", "w"], ["y"])], [1, 3], {"w": W})
    path = tmp_path / "model.onnx"
    save_model(model, path, save_as_external_data=True, location="w", size_threshold=0)
    (operator,) = load(path).output.terms.values()
    np.testing.assert_array_equal(operator.dense(), W.T.astype(float))


def test_matrices() -> None:
    W, V = weights(0, 4, 3), [[1.0, 2.0, 3.0, 4.0]]
    network = load([W, V])
    assert network.input_shape == (3,)
    assert [block.size for block in network.blocks] == [4]
    x = np.array([[1.0], [-2.0], [0.5]])
    expected = np.array(V) @ np.maximum(W @ x, 0.0)
    np.testing.assert_allclose(network.evaluate(x), expected, rtol=1e-6)
    assert load_with_hash([W, V])[1] == load_with_hash((W.tolist(), V))[1]
    assert load_with_hash([W, V])[1] != load_with_hash([W, np.negative(V)])[1]


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        ([], "empty"),
        ([[1.0, 2.0]], "shape"),
        ([np.zeros((0, 3))], "shape"),
        ([np.eye(2), np.ones((1, 3))], "matrix 1 has 3 columns"),
        ([np.eye(2), [[1.0, np.nan]]], "matrix 1 has NaN"),
        ([np.eye(2) * 1j], "real numbers"),
        ([[["a", "b"]]], "real numbers"),
        ([[[1.0], [2.0, 3.0]]], "real numbers"),
        ([np.ones((1, 1), np.longdouble)], "real numbers"),
    ],
)
def test_wrong_matrices(matrices: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_matrices(matrices)


# The catalogue ----------------------------------------------------------------------


def test_double_entry_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = list(catalogue.iter_modules(catalogue.ops.__path__))
    monkeypatch.setattr(catalogue, "iter_modules", lambda _: [*modules, modules[0]])
    with pytest.raises(RuntimeError, match="read elsewhere"):
        catalogue.readers.__wrapped__()
