"""How large a tensor would be, asked before it is made.

A few numbers of a model can ask for any amount of memory: a shape to fill, a number of
repetitions, the padding around a point. What is not known here before it is computed,
the limits of the rehearsal stop.
"""

from collections.abc import Callable, Sequence
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from geolip.memory import fits

# Tensors that fit anywhere, for which nobody needs to ask.
_SMALL = 2**20

_Arrays = Sequence[NDArray[Any] | None]


def check_fits(shape: Sequence[int]) -> None:
    """Refuse a tensor of this shape if it does not fit in memory.

    Raises
    ------
    ValueError
        If it does not.
    """
    size = prod(map(int, shape))
    if size > _SMALL and not fits(size):
        raise ValueError(
            f"a tensor of shape {tuple(map(int, shape))} does not fit in memory"
        )


def check_result(node: NodeProto, inputs: _Arrays) -> None:
    """Refuse to evaluate a node on constants if its result does not fit in memory.

    Raises
    ------
    ValueError
        If it does not.
    """
    shape = _SHAPES.get(node.op_type)
    if shape is not None:
        check_fits(shape(*inputs))


def _broadcast(*inputs: Any) -> Sequence[int]:
    return np.broadcast_shapes(*(np.shape(value) for value in inputs))


def _filled(shape: Any) -> Sequence[int]:
    return [int(size) for size in shape.ravel()]


def _expanded(value: Any, shape: Any) -> Sequence[int]:
    return np.broadcast_shapes(value.shape, tuple(_filled(shape)))


def _tiled(value: Any, times: Any) -> Sequence[int]:
    return [value.size, *_filled(times)]


def _counted(start: Any, end: Any, step: Any) -> Sequence[int]:
    first, last, by = (float(value.reshape(())) for value in (start, end, step))
    return [max(0, ceil((last - first) / by))]


def _hot(indices: Any, depth: Any, _: Any) -> Sequence[int]:
    return [indices.size, *_filled(depth)]


_ELEMENTWISE = """
    Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less
    LessOrEqual Max Mean Min Mod Mul Or PRelu Pow Sub Sum Where Xor"""
_SHAPES: dict[str, Callable[..., Sequence[int]]] = {
    "ConstantOfShape": _filled,
    "Expand": _expanded,
    "OneHot": _hot,
    "Range": _counted,
    "Tile": _tiled,
    **dict.fromkeys(_ELEMENTWISE.split(), _broadcast),
}
