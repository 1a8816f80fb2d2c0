"""Operators that move entries without changing them.

ONNX's reference implementation runs each of them on numbers that stand for coordinates;
where the numbers end up is the linear map.
"""

import numpy as np

from geolip.importer.algebra import constant, numbered, rearranged
from geolip.importer.operation import Operation, Reader, Value


def _moving(which: slice) -> Reader:
    """Return the reader of an operator that moves the entries of these inputs."""

    def read(operation: Operation) -> list[Value]:
        """Ask for constants beside what it moves."""
        positions = range(len(operation.inputs))
        moved = positions[which]
        inputs = [
            operation.stored(position)
            if operation.has(position) and position not in moved
            else None
            for position in positions
        ]
        parts = [operation.affine(position) for position in moved]
        for position, numbers in zip(moved, numbered(parts), strict=True):
            inputs[position] = numbers
        return [rearranged(parts, numbers) for numbers in operation.evaluate(inputs)]

    return read


def _filling(operation: Operation) -> Value:
    """Ask for constants beside the first input."""
    # It moves the entries of this one and adds zeros.
    parts = [operation.affine(0), constant(np.zeros(1))]
    numbers, zero = numbered(parts)
    others = [
        operation.stored(position) if operation.has(position) else None
        for position in range(1, len(operation.inputs))
    ]
    (moved,) = operation.evaluate([numbers, *others])
    return rearranged(parts, np.where(moved == 0, zero, moved))


_first = _moving(slice(1))
_all = _moving(slice(None))
_choices = _moving(slice(1, 3))
_values = _moving(slice(2, 3))

OPERATORS: dict[str, Reader] = {
    "CenterCropPad": _filling,
    "Compress": _first,
    "Concat": _all,
    "DepthToSpace": _first,
    "Expand": _first,
    "Flatten": _first,
    "Gather": _first,
    "GatherElements": _first,
    "GatherND": _first,
    "OneHot": _values,
    "Reshape": _first,
    "ReverseSequence": _first,
    "Slice": _first,
    "SpaceToDepth": _first,
    "Split": _first,
    "Squeeze": _first,
    "Tile": _first,
    "Transpose": _first,
    "Trilu": _filling,
    "Unsqueeze": _first,
    "Where": _choices,
}
