"""Which arithmetic on constants rounds: a certificate is about the model's own numbers.

Constants are folded in float64. Moving, comparing and widening numbers is exact, and so
are many sums and products of float32 numbers; what else is computed from weights may be
rounded, and nothing that is proved may rest on it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto

from geolip.arrays import Array, is_short
from geolip.importer.elements import is_real, real

_NAMES = """
    Abs Cast CastLike Ceil CenterCropPad Clip Compress Concat Constant ConstantOfShape
    DepthToSpace Equal Expand EyeLike Flatten Floor Gather GatherElements GatherND
    Greater GreaterOrEqual Identity Less LessOrEqual Max Min Neg Not OneHot Pad Relu
    Reshape ReverseSequence Round Scatter ScatterElements ScatterND Shape Sign Size
    Slice SpaceToDepth Split Squeeze Tile TopK Transpose Trilu Unsqueeze Where"""
_MOVES = frozenset(_NAMES.split())
# Operators whose constants end up in biases, on which no bound rests.
ADDITIVE = frozenset(("Add", "Concat", "Sub", "Sum"))


def rounds(
    node: NodeProto,
    inputs: Sequence[NDArray[Any] | None],
    outputs: Sequence[NDArray[Any]],
) -> bool:
    """Return whether a node on constants may have rounded a real number.

    Parameters
    ----------
    node : NodeProto
        The node.
    inputs, outputs : sequence of array
        What it was given, and what it made of that in float64.
    """
    kind = node.op_type
    if kind in _MOVES and not any(_reduces(attribute) for attribute in node.attribute):
        return False
    if not any(is_real(value.dtype) for value in outputs):
        return any(value is not None and is_real(value.dtype) for value in inputs)
    numbers = [real(value) for value in inputs if value is not None]
    match kind, numbers:
        case "Add", [left, right]:
            return not _sums_exactly(left, right)
        case "Sub", [left, right]:
            return not _sums_exactly(left, -right)
        case "Mul", [left, right]:
            return not (is_short(left) and is_short(right))
    return True


def _reduces(attribute: AttributeProto) -> bool:
    """Return whether it makes a scatter add or multiply rather than move."""
    return attribute.name == "reduction" and attribute.s != b"none"


def _sums_exactly(left: Array, right: Array) -> bool:
    """Return whether no sum is rounded; Knuth's error of a sum is itself exact."""
    with np.errstate(all="ignore"):  # infinite, as in masks: no error is zero
        total = left + right
        other = total - left
        error = (left - (total - other)) + (right - other)
    return bool((error == 0).all())
