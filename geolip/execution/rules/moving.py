"""Operators that move numbers, which rounds nothing, or change their signs."""

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import TensorProto

from geolip.execution.combination import combined
from geolip.execution.rule import Result, Rule
from geolip.execution.tensor import Tensor
from geolip.importer.catalogue import readers
from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError
from geolip.network import Affine, Block


def moved(
    operation: Operation, tensors: Mapping[int, Tensor], *, exact: bool = True
) -> Sequence[Result]:
    """Return the moved terms, and constants such as shapes as they are.

    Only what copies numbers is ``exact``; a runtime that computes them may flush them.
    """
    results: Any = readers()[operation.node.op_type](operation)
    if isinstance(results, Block):
        raise RefusedError("is read as an activation")
    depth = max((tensor.depth for tensor in tensors.values()), default=0)
    return [
        combined(operation, result, tensors, depth, exact=exact)
        if isinstance(result, Affine)
        else result
        for result in ([results] if isinstance(results, Affine) else results)
    ]


def _negated(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    return moved(operation, tensors, exact=False)


def _cast(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    if operation.attributes["to"] != TensorProto.FLOAT:
        raise RefusedError("casts activations to another type than FLOAT")
    return moved(operation, tensors)


_NAMES = """
    CenterCropPad Compress Concat DepthToSpace Dropout Expand Flatten Gather
    GatherElements GatherND Identity OneHot Pad Reshape ReverseSequence Shape Size Slice
    SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze Where"""

OPERATORS: dict[str, Rule] = {
    "Cast": _cast,
    "Neg": _negated,
    **dict.fromkeys(_NAMES.split(), moved),
}
