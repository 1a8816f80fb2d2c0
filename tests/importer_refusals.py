"""Small models with one fault each, and the two ways in which they are refused."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from importer_models import node
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from geolip.errors import ModelError, UnsupportedModelError
from geolip.importer import load


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
