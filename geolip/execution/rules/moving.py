"""Operators that move numbers or change their signs, which rounds nothing."""

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


def moved(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    """Return the moved terms, and constants such as shapes as they are."""
    results: Any = readers()[operation.node.op_type](operation)
    if isinstance(results, Block):
        raise RefusedError("is read as an activation")
    depth = max((tensor.depth for tensor in tensors.values()), default=0)
    return [
        combined(operation, result, tensors, depth, exact=True)
        if isinstance(result, Affine)
        else result
        for result in ([results] if isinstance(results, Affine) else results)
    ]


def _cast(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    if operation.attributes["to"] != TensorProto.FLOAT:
        raise RefusedError("casts activations to another type than FLOAT")
    return moved(operation, tensors)


_NAMES = """
    Concat DepthToSpace Dropout Expand Flatten Gather GatherElements GatherND Identity
    Neg Pad Reshape Shape Size Slice SpaceToDepth Split Squeeze Tile Transpose Unsqueeze
    Where"""

OPERATORS: dict[str, Rule] = {"Cast": _cast, **dict.fromkeys(_NAMES.split(), moved)}
