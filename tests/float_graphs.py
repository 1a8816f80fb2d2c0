"""Graphs in float32, node by node."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Constants = dict[str, np.ndarray]


def model_of(
    nodes: Sequence[NodeProto],
    constants: Constants,
    shape: Sequence[int],
    dtype: int = TensorProto.FLOAT,
) -> ModelProto:
    """Return a model from tensor "x" of the given shape to tensor "y"."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", dtype, list(shape))],
        [helper.make_tensor_value_info("y", dtype, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = helper.make_opsetid("", 13)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def node(kind: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs.split(), output.split(), **attributes)


def float32(*values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def dense(*layers: tuple[np.ndarray, np.ndarray]) -> ModelProto:
    """Return Gemm layers with nothing between them; weights (out, in)."""
    nodes, constants, last = [], {}, "x"
    for k, (W, b) in enumerate(layers):
        constants |= {f"W{k}": np.float32(W), f"b{k}": np.float32(b)}
        name = "y" if k == len(layers) - 1 else f"h{k}"
        nodes.append(node("Gemm", f"{last} W{k} b{k}", name, transB=1))
        last = name
    return model_of(nodes, constants, (1, layers[0][0].shape[1]))
