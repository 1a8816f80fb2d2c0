"""Evaluation of one node on constants, with ONNX's own reference implementation.

Real numbers are widened to float64 first: evaluated as stored, in float32, arithmetic
on weights would certify another function than the model's.

Moving, widening and negating numbers is exact. Other arithmetic on real constants, such
as the quotients of a weight normalisation, still rounds in float64; how much is counted
beside (geolip/importer/exactness.py).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from onnx.reference import ReferenceEvaluator

from geolip.importer.elements import is_real, real
from geolip.importer.growth import check_result
from geolip.importer.refusals import RefusedError
from geolip.importer.substitutes import SUBSTITUTES


def evaluate(
    node: NodeProto, opset: int, inputs: Sequence[NDArray[Any] | None]
) -> list[NDArray[Any]]:
    """Return all outputs of ``node``, also the unnamed ones.

    Parameters
    ----------
    node : NodeProto
        A node without subgraphs.
    opset : int
        The version of the default operator set.
    inputs : sequence of array or None
        Their values; None where an optional input is left out. They stay unchanged.

    Returns
    -------
    list of array
        Integers as ONNX defines them; what is computed from real numbers in float64.

    Raises
    ------
    RefusedError
        If a result is not a tensor, or this version is not implemented.
    ValueError
        If it does not fit in memory; ONNX's implementation raises other types too.
    """
    check_result(node, inputs)
    given = [None if value is None else _widened(value) for value in inputs]
    if substitute := SUBSTITUTES.get(node.op_type):
        return [np.asarray(value) for value in substitute(node, given)]
    # Fresh names, because a node may read one tensor twice and leave outputs unnamed.
    feeds = {f"input_{i}": value for i, value in enumerate(given) if value is not None}
    single = NodeProto()
    single.CopyFrom(node)
    single.domain = ""  # also written "ai.onnx"
    single.input[:] = [f"input_{i}" * (v is not None) for i, v in enumerate(inputs)]
    single.output[:] = [f"output_{i}" for i in range(len(node.output))]
    graph = helper.make_graph(
        [single],
        "constants",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in feeds.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in single.output],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        evaluator = ReferenceEvaluator(model)
    except RuntimeError as error:
        raise RefusedError(
            f"is not implemented for constants in opset {opset}: "
            "onnx.version_converter converts the model"
        ) from error
    # Infinite and undefined values are noticed where a constant is used.
    with np.errstate(all="ignore"):
        results = evaluator.run(None, feeds)
    if not all(isinstance(value, np.ndarray | np.generic) for value in results):
        raise RefusedError("gives something else than a tensor")
    return [np.asarray(value) for value in results]


def _widened(value: NDArray[Any]) -> NDArray[Any]:
    """Return a copy, of real numbers in float64."""
    return real(value) if is_real(value.dtype) else value.copy()
