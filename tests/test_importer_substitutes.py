"""What ONNX's reference implementation reads differently from ONNX's text."""

from collections.abc import Sequence

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import build, integers, node
from importer_refusals import assert_wrong
from onnx import NodeProto


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("shape", [(70, 1), (70, 70), (3, 70), (1, 70)])
def test_gather_along_a_long_axis(shape: tuple[int, int], axis: int) -> None:
    random = np.random.default_rng(0)
    size = shape[axis]
    indices = random.integers(-size, size, shape)
    model = build(
        [node("GatherElements", ["x", "i"], ["y"], axis=axis)], shape, {"i": indices}
    )
    assert_like_onnxruntime(model, shape)


def test_gather_fewer_entries() -> None:
    indices = np.array([[[1]], [[-2]]])
    model = build(
        [node("GatherElements", ["x", "i"], ["y"], axis=1)], (3, 2, 4), {"i": indices}
    )
    assert_like_onnxruntime(model, (3, 2, 4))


@pytest.mark.parametrize(
    ("opset", "axes"),
    [(7, (1, 0)), (7, (3, 1, 0)), (11, (0, 3)), (12, (-2, -1)), (12, (-1, 1, -3))],
)
def test_unsqueeze_in_any_order(opset: int, axes: Sequence[int]) -> None:
    nodes = [node("Unsqueeze", ["x"], ["u"], axes=axes), node("Relu", ["u"], ["y"])]
    assert_like_onnxruntime(build(nodes, (3, 4), opset=opset), (3, 4))


@pytest.mark.parametrize("opset", [7, 11, 12])
def test_squeeze_in_any_order(opset: int) -> None:
    nodes = [node("Squeeze", ["x"], ["s"], axes=[3, 0]), node("Relu", ["s"], ["y"])]
    assert_like_onnxruntime(build(nodes, (1, 3, 1, 1), opset=opset), (1, 3, 1, 1))


@pytest.mark.parametrize("opset", [13, 18])
def test_split_into_unequal_parts(opset: int) -> None:
    parts = {"num_outputs": 3} if opset >= 18 else {}
    size = 7 if opset >= 18 else 6
    nodes = [
        node("Split", ["x"], ["a", "b", "c"], axis=1, **parts),
        node("Concat", ["c", "a", "b"], ["y"], axis=1),
    ]
    assert_like_onnxruntime(build(nodes, (2, size), opset=opset), (2, size))


FAR = {"far": integers(0, 2**62, -1).reshape(1, 3)}


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (
            node("GatherElements", ["x", "far"], ["y"], axis=1),
            "outside of an axis",
        ),
        (node("GatherElements", ["x", "far"], ["y"], axis=2), "do not fit"),
        (node("GatherElements", ["x", "flat"], ["y"]), "do not fit"),
        (node("GatherElements", ["x", "many"], ["y"], axis=1), "do not fit"),
        (node("Split", ["x", "parts"], ["y", "z"], axis=1), "do not make up 3"),
        (node("Split", ["x", "back"], ["y", "z"], axis=1), "do not make up 3"),
        (node("Split", ["x", "one"], ["y", "z"], axis=1), "do not make up 3"),
    ],
    ids=range(7),
)
def test_refused(wrong: NodeProto, part: str) -> None:
    constants = {
        "flat": integers(0, 1),
        "many": np.zeros((2, 3), np.int64),
        "parts": integers(1, 1),
        "back": integers(4, -1),
        "one": integers(3),
    }
    model = build([wrong], (1, 3), FAR | constants)
    assert_wrong(model, wrong.op_type, part)
