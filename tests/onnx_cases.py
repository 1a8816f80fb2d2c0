"""ONNX's own node cases, as models with one input that changes."""

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

from geolip.importer.interface import ONNX_DOMAINS

REAL = {
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
}

# What arithmetic in a type leaves of 1e-6, relative to the largest entry.
TOLERANCES = {"float16": 2e-3, "bfloat16": 2e-2}


@cache
def all_cases() -> Sequence[Any]:
    """Return ONNX's node cases."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_model_tests(kind="node")


def cases(one_node: bool) -> Iterator[Any]:
    """Yield the cases whose graph is one operator of ONNX, or those of several.

    Cases with sequences are left out.
    """
    for case in all_cases():
        graph = case.model.graph
        tensors = [*graph.input, *graph.output]
        if (
            (len(graph.node) == 1) == one_node
            and all(node.domain in ONNX_DOMAINS for node in graph.node)
            and all(tensor.type.HasField("tensor_type") for tensor in tensors)
        ):
            yield case


def shape(tensor: ValueInfoProto) -> list[int]:
    """Return the shape of a tensor."""
    return [dimension.dim_value for dimension in tensor.type.tensor_type.shape.dim]


def real_places(case: Any) -> list[int]:
    """Return which of the graph's inputs may be an activation.

    None that is empty: dimensions of 0 stand for free ones.
    """
    return [
        place
        for place, tensor in enumerate(case.model.graph.input)
        if tensor.type.tensor_type.elem_type in REAL and 0 not in shape(tensor)
    ]


def variants(case: Any, place: int | None) -> Iterator[tuple[ModelProto, Any, Any]]:
    """Yield models of a case, each with the values of its input and of its output.

    All inputs but the one at ``place`` are stored in the model, all outputs but one are
    left out. Without a place all are stored and another input does nothing.
    """
    for inputs, outputs in case.data_sets:
        values = [as_array(value) for value in inputs]
        for output, expected in zip(case.model.graph.output, outputs, strict=True):
            model = _stored(case.model, place, values, output)
            given = np.zeros(1) if place is None else values[place]
            yield model, given, as_array(expected)


def _stored(
    model: ModelProto,
    place: int | None,
    values: Sequence[NDArray[Any]],
    output: ValueInfoProto,
) -> ModelProto:
    single = ModelProto()
    single.CopyFrom(model)
    tensors = list(model.graph.input)
    del single.graph.input[:], single.graph.output[:]
    if place is None:
        idle = helper.make_tensor_value_info("idle", TensorProto.FLOAT, [1])
        single.graph.input.append(idle)
    else:
        single.graph.input.append(tensors[place])
    single.graph.output.append(output)
    for number, (tensor, value) in enumerate(zip(tensors, values, strict=True)):
        if number != place:
            stored = numpy_helper.from_array(value, tensor.name)
            single.graph.initializer.append(stored)
    return single


def as_array(value: Any) -> NDArray[Any]:
    """Return a value of a node case, which may be a stored tensor."""
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value)


def assert_equal_values(
    found: NDArray[Any], expected: NDArray[Any], tolerance: float | None = None
) -> None:
    """Compare values, up to what the type of the expected ones can hold."""
    assert found.shape == expected.shape
    if tolerance is None:
        tolerance = TOLERANCES.get(expected.dtype.name, 1e-6)
    wanted = expected.astype(float)
    sizes = np.abs(wanted[np.isfinite(wanted)])
    scale = max(1.0, float(sizes.max(initial=0.0)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale)
