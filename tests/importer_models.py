"""Small models to import."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Arrays = Mapping[str, NDArray[Any]]
node = helper.make_node


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


def weights(seed: int, *shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def integers(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
