"""Small files that ask for much: for memory, for time, for long messages."""

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from importer_models import build, integers, node, weights
from importer_refusals import assert_wrong, refused
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from geolip.errors import ModelError
from geolip.importer import Limits, load

HUGE = 2**40
LITTLE = Limits(memory=2**28, seconds=3)
CONSTANTS: dict[str, Any] = {
    "shape": integers(HUGE, 1),
    "square": integers(2**20, 2**20),
    "overflow": integers(2**62, 2**62),
    "times": integers(1, HUGE),
    "pads": integers(0, 0, 0, HUGE),
    "there and back": integers(0, HUGE, 0, -HUGE),
    "wrapping": integers(0, 2**62, 0, 2**62),
    "zero": np.array(0),
    "one": np.array(1),
    "huge": np.array(HUGE),
    "ends": np.array([0.0, 1.0], np.float32),
    "w": weights(0, 1, 1, 1, 1),
    "sizes": integers(1, 1, 2**20, 2**20),
}
# One line each: what makes the giant, and what it makes it of.
BOMBS: dict[str, Sequence[NodeProto]] = {
    "ConstantOfShape": [node("ConstantOfShape", ["shape"], ["c"])],
    "ConstantOfShape of two": [node("ConstantOfShape", ["square"], ["c"])],
    "ConstantOfShape that overflows": [node("ConstantOfShape", ["overflow"], ["c"])],
    "Expand": [node("Expand", ["one", "square"], ["c"])],
    "Expand of activations": [node("Expand", ["x", "square"], ["c"])],
    "Tile": [node("Tile", ["x", "times"], ["c"])],
    "Range": [node("Range", ["zero", "huge", "one"], ["c"])],
    "OneHot": [node("OneHot", ["zero", "huge", "ends"], ["c"])],
    "EyeLike": [
        node("ConstantOfShape", ["square"], ["e"]),
        node("EyeLike", ["e"], ["c"]),
    ],
    "Pad": [node("Pad", ["x", "pads"], ["c"])],
    "Pad and cut": [node("Pad", ["x", "there and back"], ["c"])],
    "Pad that overflows": [node("Pad", ["x", "wrapping"], ["c"])],
    "Pad by edges": [node("Pad", ["x", "pads"], ["c"], mode="edge")],
    "Conv": [
        node("Unsqueeze", ["x", "axes"], ["u"]),
        node("Conv", ["u", "w"], ["c"], pads=[0, HUGE, 0, 0]),
    ],
    "AveragePool": [
        node("Unsqueeze", ["x", "axes"], ["u"]),
        node("AveragePool", ["u"], ["c"], kernel_shape=[1, 1], pads=[0, HUGE, 0, 0]),
    ],
    "Resize": [
        node("Unsqueeze", ["ends", "three"], ["u"]),
        node("Resize", ["u", "", "", "sizes"], ["c"]),
    ],
}


@pytest.mark.parametrize("name", BOMBS)
def test_giants(name: str) -> None:
    constants = CONSTANTS | {"axes": integers(0, 1), "three": integers(0, 1, 2)}
    nodes = [*BOMBS[name], node("Add", ["x", "c"], ["y"])]
    start = time.monotonic()
    with pytest.raises(ModelError):
        load(build(nodes, (1, 1), constants, opset=18).SerializeToString(), LITTLE)
    assert time.monotonic() - start < 10


def test_doubling() -> None:
    """Forty nodes, each of which makes the tensor twice as large."""
    names = ["x", *(f"d{k}" for k in range(40)), "y"]
    nodes = [node("Concat", [a, a], [b], axis=1) for a, b in pairwise(names)]
    content = build(nodes, (1, 1024)).SerializeToString()
    with pytest.raises(ModelError, match=r"Concat .*of memory"):
        load(content, LITTLE)


def test_giant_input() -> None:
    model = build([node("Relu", ["x"], ["y"])], (1, 2**20, 2**20))
    assert_wrong(model, "input 'x'", "(1, 1048576, 1048576) does not fit in memory")


# Time -------------------------------------------------------------------------------


def chain(count: int, kinds: Sequence[str], **constants: Any) -> ModelProto:
    """Return nodes one after the other, taking turns."""
    names = ["x", *(f"t{k}" for k in range(count))]
    nodes = []
    for place, (a, b) in enumerate(pairwise(names)):
        kind = kinds[place % len(kinds)]
        nodes.append(node(kind, [a, "c"] if kind in ("Add", "Mul") else [a], [b]))
    return build(nodes, (1, 2), constants)


def seconds(model: ModelProto) -> float:
    start = time.process_time()
    load(model)
    return time.process_time() - start


KINDS: Mapping[str, Sequence[str]] = {
    "activations": ["Relu"],
    "passing on": ["Identity"],
    "moving": ["Transpose"],
    "adding": ["Add"],
    "all": ["Mul", "Relu", "Add", "Tanh"],
}


@pytest.mark.parametrize("name", KINDS)
def test_time_grows_with_the_nodes_and_not_faster(name: str) -> None:
    constants = {"c": np.array([0.5, 1.0], np.float32)}
    short, long = (chain(n, KINDS[name], **constants) for n in (500, 4000))
    seconds(short)
    # Eight times as many nodes; quadratic time would be 64 times as long.
    assert seconds(long) < 24 * max(seconds(short), seconds(short))


def test_many_dead_nodes() -> None:
    model = build([node("Relu", ["x"], ["y"])], (1, 2))
    dead = NodeProto(op_type="Exp", input=["x"])
    model.graph.node.extend([dead] * 10**5)
    assert seconds(model) < 2


# Nesting and names ------------------------------------------------------------------


def test_deep_nesting() -> None:
    """Deeper than protobuf reads, and as deep as it does."""
    for depth, part in ((10**4, "not an ONNX model"), (20, "no input")):
        content = b""
        for _ in range(depth):
            for tag in (0x32, 0x2A, 0x0A):  # a graph in an attribute in a node
                size, length = len(content), b""
                while size > 127:
                    length += bytes([size & 127 | 128])
                    size >>= 7
                content = bytes([tag]) + length + bytes([size]) + content
        size, length = len(content), b""
        while size > 127:
            length += bytes([size & 127 | 128])
            size >>= 7
        assert_wrong(b"\x3a" + length + bytes([size]) + content, part)


def test_deep_nesting_in_memory() -> None:
    graph = GraphProto()
    for _ in range(30):
        outer = GraphProto()
        outer.node.add(op_type="If").attribute.add(g=graph, type=AttributeProto.GRAPH)
        graph = outer
    model = build([node("Relu", ["x"], ["y"])], (1, 2))
    model.graph.node.extend(graph.node)
    assert load(model.SerializeToString()).neurons == 2


@pytest.mark.parametrize("name", ["w" * 10**6, "\0", "\n", "ä", " ", "'"])
def test_odd_names(name: str) -> None:
    nodes = [node("MatMul", ["x", name], ["h"], name=name), node("Relu", ["h"], ["y"])]
    model = build(nodes, (1, 2), {name: weights(0, 2, 3)})
    assert load(model.SerializeToString()).neurons == 3
    model.graph.node[0].op_type = "Sign"
    del model.graph.node[0].input[1]
    (line,) = refused(model.SerializeToString())
    assert line.startswith(("Sign '", 'Sign "'))
    model.graph.initializer[0].dims[:] = [7]
    model.graph.node[0].CopyFrom(node("MatMul", ["x", name], ["h"]))
    with pytest.raises(ModelError) as caught:
        load(model.SerializeToString())
    assert len(str(caught.value)) < 2500


@pytest.mark.parametrize("part", [b"input", b"inner", b"final", b"Tanh"])
def test_name_that_is_no_text(part: bytes) -> None:
    nodes = [
        node("Relu", ["input"], ["inner"]),
        node("Tanh", ["inner"], ["final"], name="name"),
    ]
    model = build(nodes, (1, 2))
    model.graph.input[0].name = "input"
    content = model.SerializeToString()
    broken = content.replace(part, b"\xff" * len(part))
    assert_wrong(broken, "is not text in UTF-8")


# Control flow -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["If", "Loop", "Scan"])
def test_control_flow(kind: str) -> None:
    body = helper.make_graph(
        [node("Relu", ["x"], ["b"])],
        "body",
        [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [1, 2])],
    )
    attributes = {
        "If": {"then_branch": body, "else_branch": body},
        "Loop": {"body": body},
        "Scan": {"body": body, "num_scan_inputs": 1},
    }
    inputs = ["x", "yes"] if kind == "Loop" else ["x"]
    nodes = [node(kind, inputs, ["y"], **attributes[kind])]
    (line,) = refused(build(nodes, (1, 2), {"yes": np.array(True)}))
    assert line == f"{kind} 'y': control flow is not supported"
