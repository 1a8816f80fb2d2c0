"""One node with the values of its inputs, as the readers of operators see it."""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from onnx.defs import OpSchema

from geolip.arrays import Array
from geolip.importer.algebra import UNIT, constant
from geolip.importer.elements import is_real, real
from geolip.importer.folding import evaluate
from geolip.importer.magnitude import checked
from geolip.importer.refusals import RefusedError
from geolip.network import Affine, Block, Head

Value: TypeAlias = NDArray[Any] | Affine
"""A tensor: a constant as it is stored, or an affine function of the blocks."""


@dataclass(frozen=True, eq=False)
class Final:
    """A tensor that only the network's output may be.

    Parameters
    ----------
    value : Affine
        What the head reads.
    head : Head
        What makes the tensor of it.
    """

    value: Affine
    head: Head

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return self.head.shape


@dataclass(frozen=True, eq=False)
class Operation:
    """A node whose inputs are known.

    Readers raise `RefusedError` for what cannot be certified and `ValueError` for what
    contradicts ONNX; the node's name is put in front of either.

    Parameters
    ----------
    node : NodeProto
        The node.
    schema : OpSchema
        Its operator's definition in the version that the model uses.
    opset : int
        The version of the default operator set.
    attributes : mapping of str to object
        All attributes that are given or have a default.
    inputs : sequence of Value or None
        None where an optional input is left out.
    types : sequence of dtype or None
        The element types that the model declares for them.
    roundings : sequence of float
        By how many roundings each input may be off, if it is a constant.
    siblings : mapping of str to Affine
        What earlier nodes made of the very same inputs, by operator.
    """

    node: NodeProto
    schema: OpSchema
    opset: int
    attributes: Mapping[str, Any]
    inputs: Sequence[Value | None]
    types: Sequence[np.dtype[Any] | None]
    roundings: Sequence[float] = ()
    siblings: Mapping[str, Affine] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The node's name, or its output's."""
        return node_name(self.node)

    def has(self, position: int) -> bool:
        """Return whether an input is given."""
        return position < len(self.inputs) and self.inputs[position] is not None

    def affine(self, position: int) -> Affine:
        """Return an input as an affine function, which for a constant has no terms.

        Raises
        ------
        ValueError
            If it is missing, not of real numbers, or has NaN or infinite entries.
        """
        value = self._given(position)
        if isinstance(value, Affine):
            return value
        if not is_real(value.dtype):
            raise ValueError(
                f"{self._called(position)} holds {value.dtype.name}: expected "
                "floating-point numbers"
            )
        numbers = checked(real(value), self._called(position))
        count = self.roundings[position] if position < len(self.roundings) else 0
        size = float(np.abs(numbers).max(initial=0.0))
        return constant(numbers, (count + 1) * UNIT * size if count else 0.0)

    def affines(self) -> list[Affine]:
        """Return all inputs as affine functions."""
        return [self.affine(position) for position in range(len(self.inputs))]

    def stored(self, position: int) -> NDArray[Any]:
        """Return a constant input in its own type.

        Raises
        ------
        RefusedError
            If it depends on the network's input.
        """
        value = self._given(position)
        if not isinstance(value, Affine):
            return value
        if value.terms:
            raise RefusedError(
                f"{self._called(position)} must be constant, but is computed from the "
                "network's input"
            )
        return value.bias.reshape(value.shape)

    def real(self, position: int) -> Array:
        """Return a constant input of finite real numbers as float64."""
        self.stored(position)
        value = self.affine(position)
        return value.bias.reshape(value.shape)

    def integers(self, position: int) -> list[int]:
        """Return the entries of a constant input of integers."""
        values = self.stored(position)
        if values.dtype.kind not in "iu":
            raise ValueError(
                f"{self._called(position)} holds {values.dtype.name}: expected integers"
            )
        return [int(entry) for entry in values.ravel()]

    def rounded(self, position: int) -> int:
        """Return by how many roundings a constant input may be off.

        Where nobody knows, the walk says so, and no operator needs to.
        """
        found = self.roundings[position] if position < len(self.roundings) else 0
        return int(found) if math.isfinite(found) else 0

    def evaluate(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Return the node's outputs for other, constant inputs."""
        return evaluate(self.node, self.opset, inputs)

    def _given(self, position: int) -> Value:
        value = self.inputs[position] if position < len(self.inputs) else None
        if value is None:
            raise ValueError(f"{self._called(position)} is missing")
        return value

    def _called(self, position: int) -> str:
        """Name an input as the operator's definition and the model do."""
        formal = self.schema.inputs[min(position, len(self.schema.inputs) - 1)].name
        if position < len(self.node.input) and self.node.input[position]:
            return f"input {formal} ({self.node.input[position]!r})"
        return f"input {formal}"


Outputs: TypeAlias = Value | Final | Sequence[Value | RefusedError]
"""A node's output, or all its outputs; an error for one that nobody may read."""

Layers: TypeAlias = Generator[Block, Affine, Outputs]
"""Yields blocks one by one, is sent each one's output, returns the node's outputs."""

Reader: TypeAlias = Callable[[Operation], Outputs | Block | Layers]
"""Reads one operator: returns its outputs, or the block or the blocks that it is."""


def node_name(node: NodeProto) -> str:
    """Return a node's name, or its first output's if it has none."""
    return node.name or next(filter(None, node.output), "")


def label(node: NodeProto) -> str:
    """Return what a message calls a node, such as ``Conv 'conv1'``."""
    return f"{node.op_type} {node_name(node)!r}"
