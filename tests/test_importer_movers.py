"""Operators that move, write or add up entries, against onnxruntime."""

from typing import Any

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import Arrays, build, integers, node, weights
from importer_refusals import assert_wrong, refused
from onnx import NodeProto, TensorProto, helper

from geolip.importer import load
from geolip.linear import Dense, Sparse

INDICES = np.array([[1, -1, 0], [0, 1, 2]])
UPDATES: Arrays = {"i": INDICES, "u": weights(1, 2, 3)}
TUPLES: Arrays = {"i": np.array([[0, 1], [-1, 0]]), "u": weights(1, 2, 4)}
TRUTHS = np.array([True, False, True])

# Node, shape of x, constants, opset.
MOVES: list[tuple[NodeProto, list[int], Arrays, int]] = [
    (node("CenterCropPad", ["x", "n"], ["y"]), [5, 4], {"n": integers(2, 7)}, 18),
    (
        node("CenterCropPad", ["x", "n"], ["y"], axes=[-1]),
        [3, 6],
        {"n": integers(3)},
        18,
    ),
    (node("Compress", ["x", "c"], ["y"], axis=1), [2, 4], {"c": TRUTHS}, 11),
    (node("Compress", ["x", "c"], ["y"]), [2, 4], {"c": TRUTHS}, 11),
    (
        node("ReverseSequence", ["x", "n"], ["y"]),
        [4, 3, 2],
        {"n": integers(2, 4, 1)},
        10,
    ),
    (node("Scatter", ["x", "i", "u"], ["y"], axis=1), [2, 4], UPDATES, 9),
    (node("ScatterElements", ["x", "i", "u"], ["y"]), [3, 3], UPDATES, 13),
    (node("ScatterElements", ["x", "i", "u"], ["y"], axis=-1), [2, 4], UPDATES, 11),
    (node("ScatterND", ["x", "i", "u"], ["y"]), [3, 2, 4], TUPLES, 16),
    (node("Trilu", ["x"], ["y"]), [2, 3, 4], {}, 14),
    (node("Trilu", ["x", "k"], ["y"], upper=0), [3, 4], {"k": np.array(1)}, 14),
]


@pytest.mark.parametrize(("move", "shape", "constants", "opset"), MOVES)
def test_moves(
    move: NodeProto, shape: list[int], constants: Arrays, opset: int
) -> None:
    model = build([move], shape, constants, opset)
    network = assert_like_onnxruntime(model, shape)
    operator = network.output.terms[0]
    assert isinstance(operator, Sparse)
    assert operator.is_selection


def test_one_hot_values_move() -> None:
    values = {"i": integers(1, -3, 7), "n": np.array(3)}
    model = build([node("OneHot", ["i", "n", "x"], ["y"])], [2], values)
    assert_like_onnxruntime(model, [2])


@pytest.mark.parametrize("kind", ["ScatterElements", "ScatterND"])
@pytest.mark.parametrize("place", [0, 2])
def test_additions_at_indices(kind: str, place: int) -> None:
    # The same entry of the tensor is added to twice.
    indices = np.array([[0, 1], [0, 1]])
    shapes = {"ScatterElements": ([3, 2], [2, 2]), "ScatterND": ([3, 2, 4], [2, 4])}
    data, updates = shapes[kind]
    names = ["w", "i", "w"]
    names[place] = "x"
    shape, other = (data, updates) if place == 0 else (updates, data)
    model = build(
        [node(kind, names, ["y"], reduction="add")],
        shape,
        {"i": indices, "w": weights(2, *other)},
        16,
    )
    network = assert_like_onnxruntime(model, shape)
    assert network.output.terms[0].roundings == 0


def test_activations_are_written_into_activations() -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["u"]),
        node("ScatterElements", ["x", "i", "u"], ["y"], axis=1, reduction="add"),
    ]
    constants = {"w": weights(0, 3, 2), "i": np.array([[1, 1], [2, 0]])}
    assert_like_onnxruntime(build(nodes, [2, 3], constants, 16), [2, 3])


@pytest.mark.parametrize(
    ("attributes", "indices", "part"),
    [
        ({"reduction": "mul"}, [[0]], "reduction 'mul' is not supported"),
        ({}, [[0], [0]], "writes an entry twice"),
    ],
)
def test_scattering_that_is_refused(
    attributes: dict[str, Any], indices: list[list[int]], part: str
) -> None:
    for kind, shape in (("ScatterElements", (len(indices), 1)), ("ScatterND", (2,))):
        scattered = node(kind, ["x", "i", "u"], ["y"], **attributes)
        count = shape if kind == "ScatterElements" else (len(indices),)
        constants = {"i": np.array(indices), "u": np.ones(count, np.float32)}
        data = [2, 1] if kind == "ScatterElements" else [2]
        assert part in refused(build([scattered], data, constants, 18))[0]


@pytest.mark.parametrize(
    ("indices", "updates", "part"),
    [
        ([[2]], [[1.0]], "outside its axis"),
        ([[0]], [1.0], "have shape (1,)"),
        ([0], [1.0], "do not fit data"),
    ],
)
def test_wrong_scattering(indices: Any, updates: Any, part: str) -> None:
    scattered = node("ScatterElements", ["x", "i", "u"], ["y"])
    constants = {"i": np.array(indices), "u": np.array(updates, np.float32)}
    assert_wrong(build([scattered], [2, 1], constants, 16), part)


# Sums -------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_cumulative_sums(axis: int, exclusive: int, reverse: int) -> None:
    attributes = {"exclusive": exclusive, "reverse": reverse}
    added = node("CumSum", ["x", "k"], ["y"], **attributes)
    model = build([added], [2, 3, 4], {"k": np.array(axis)})
    network = assert_like_onnxruntime(model, [2, 3, 4])
    assert isinstance(network.output.terms[0], Dense)


def test_cumulative_sum_along_too_many() -> None:
    model = build([node("CumSum", ["x", "k"], ["y"])], [10**6], {"k": np.array(0)})
    assert_wrong(model, "CumSum 'y'", "does not fit in memory")


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_means_are_rounded_unless_halved(count: int) -> None:
    names = ["x", *(f"w{k}" for k in range(1, count))]
    constants = {name: weights(3, 3) for name in names[1:]}
    model = build([node("Mean", names, ["y"])], [2, 3], constants)
    network = assert_like_onnxruntime(model, [2, 3])
    assert network.output.terms[0].roundings == (count == 3)


@pytest.mark.parametrize(
    ("attributes", "space", "taps", "blocks"),
    [
        ({}, (5, 4), (2, 3), 8),
        ({"strides": [2, 1], "pads": [1, 0, 0, 2]}, (5, 4), (2, 3), 12),
        ({"dilations": [2, 1]}, (5, 4), (2, 2), 9),
    ],
)
def test_columns_to_image(
    attributes: dict[str, Any],
    space: tuple[int, ...],
    taps: tuple[int, ...],
    blocks: int,
) -> None:
    sizes = {"s": integers(*space), "t": integers(*taps)}
    added = node("Col2Im", ["x", "s", "t"], ["y"], **attributes)
    shape = [2, 3 * int(np.prod(taps)), blocks]
    assert_like_onnxruntime(build([added], shape, sizes, 18), shape)
    shape[2] += 1
    assert_wrong(build([added], shape, sizes, 18), "Col2Im 'y'", "do not fit")


# Casts ------------------------------------------------------------------------------


def test_cast_to_the_type_of_another_tensor() -> None:
    like = {"w": np.zeros(2)}
    cast = node("CastLike", ["x", "w"], ["y"])
    assert not load(build([cast], [3], like)).blocks
    (line,) = refused(build([cast], [3], {"w": np.zeros(2, np.float16)}))
    assert "casts activations to float16, which rounds them" in line


def test_infinite_constants_are_cast() -> None:
    # As in the masks of attention, of which nothing reaches the output here.
    nodes = [
        node("CastLike", ["m", "x"], ["f"]),
        node("Where", ["c", "f", "x"], ["y"]),
    ]
    constants = {"m": np.array([-np.inf, 3.0]), "c": np.array([False, True])}
    assert_wrong(build(nodes, [2], constants), "Where 'y'", "NaN or infinite")
    nodes = [
        helper.make_node("CastLike", ["i", "x"], ["f"]),
        helper.make_node("Add", ["x", "f"], ["y"]),
    ]
    model = build(nodes, [2], {"i": integers(3, 4)})
    assert model.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    assert_like_onnxruntime(model, [2])
