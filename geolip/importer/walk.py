"""The walk along a graph that turns its nodes into blocks and affine functions."""

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

import numpy as np
from onnx import NodeProto

from geolip.errors import ModelError
from geolip.importer.algebra import constant, scaled
from geolip.importer.boundary import translated
from geolip.importer.catalogue import readers
from geolip.importer.composite import Composite
from geolip.importer.definition import ONNX_DOMAINS, attributes_of, schema_of
from geolip.importer.elements import from_code, is_real, real, widens
from geolip.importer.exactness import UNKNOWN, factors_known, roundings
from geolip.importer.fate import ACTIVATION, FOLDED, HEAD, LINEAR, REFUSED, UNREAD, Fate
from geolip.importer.growth import check_fits
from geolip.importer.interface import Interface
from geolip.importer.magnitude import check_products
from geolip.importer.operation import (
    Final,
    Layers,
    Operation,
    Outputs,
    Value,
    label,
    node_name,
)
from geolip.importer.refusals import RefusedError, can_fold, reason
from geolip.linear import identity
from geolip.network import Affine, Block, Network

# Attributes that say what type the output has.
_TYPES = ("to", "dtype", "output_dtype", "output_datatype")


class Walk:
    """What is known after reading the nodes so far.

    A tensor whose value is None could not be read; what follows from it is skipped, so
    that one pass finds every node that stands in the way.
    """

    def __init__(self, interface: Interface, needed: set[str]) -> None:
        self.interface = interface
        self.needed = needed
        self.problems: list[str] = []
        self.blocks: list[Block] = []
        self.values: dict[str, Value | None] = {}
        self.types: dict[str, np.dtype[Any]] = {}
        # Tensors that nothing may read.
        self.finals: dict[str, Final] = {}
        # What operators made of the same tensors.
        self.siblings: defaultdict[frozenset[str], dict[str, Affine]]
        self.siblings = defaultdict(dict)
        # By how many roundings constants are off, and the nodes that cannot tell.
        self.rounded: dict[str, float] = {}
        self.inexact: list[str] = []
        name = interface.input_name
        with translated(f"input {name!r}"):
            value = self.coordinates(0, interface.input_shape)
            self.define(name, value, interface.input_type)

    def network(self) -> Network:
        """Return the whole network, when all nodes are read."""
        name = self.interface.output_name
        final = self.finals.get(name)
        output = self.value(name) if final is None else final.value
        if isinstance(output, np.ndarray):
            with translated(f"output {name!r}"):
                output = constant(output.astype(np.float64, casting="same_kind"))
        if output is None or not output.size:
            raise ModelError(f"output {name!r} is empty")
        if not np.isfinite(output.bias).all():
            raise ModelError(f"output {name!r} has NaN or infinite entries")
        network = Network(
            input_shape=self.interface.input_shape,
            blocks=tuple(self.blocks),
            output=output,
            input_name=self.interface.input_name,
            output_name=name,
            inexact=tuple(self.inexact),
            head=None if final is None else final.head,
        )
        check_products(network)
        return network

    def read(self, part: NodeProto | Composite) -> None:
        """Find the values of the outputs of a node, or of the last of several."""
        node = part.node if isinstance(part, Composite) else part
        try:
            with translated(label(node)), np.errstate(all="raise", under="ignore"):
                if isinstance(part, Composite):
                    self.join(part)
                else:
                    self.results(part)
        except RefusedError as error:
            self.problems.append(f"{label(node)}: {error}")
            self.values |= dict.fromkeys(filter(None, node.output))

    def fate(self, part: NodeProto | Composite, problems: int, blocks: int) -> Fate:
        """Return what became of a node, given how many there were of both before."""
        node = part.node if isinstance(part, Composite) else part
        values = [self.values.get(name) for name in node.output if name]
        known = [value for value in values if value is not None]
        shape = tuple(known[0].shape) if known else None
        result = partial(Fate, node_name(node), node.op_type, shape)
        if len(self.problems) > problems:
            reason = self.problems[-1].removeprefix(f"{label(node)}: ")
            return result(REFUSED, reason)
        if len(self.blocks) > blocks:
            return result(ACTIVATION)
        if any(name in self.finals for name in node.output):
            return result(HEAD)
        moving = any(isinstance(value, Affine) and value.terms for value in known)
        return result(LINEAR if moving else FOLDED if known else UNREAD)

    def results(self, node: NodeProto) -> None:
        """Define a node's outputs, or raise what the reader raises."""
        kind = node.op_type
        if node.domain not in ONNX_DOMAINS:
            raise RefusedError(f"operators of domain {node.domain!r} are not supported")
        if kind in self.interface.redefined:
            raise RefusedError("the model redefines this operator as a function")
        schema = schema_of(node, self.interface.opset)
        names = list(node.input)
        for name in filter(None, names):
            self.check_readable(name)
        inputs = [self.value(name) if name else None for name in names]
        unread = any(name and v is None for name, v in zip(names, inputs, strict=True))
        folds = can_fold(kind) and not any(
            isinstance(value, Affine) and value.terms for value in inputs
        )
        if kind not in readers() and (unread or not folds):
            raise RefusedError(reason(kind))
        if unread:
            self.values |= dict.fromkeys(filter(None, node.output))
            return
        operation = Operation(
            node=node,
            schema=schema,
            opset=self.interface.opset,
            attributes=attributes_of(node, schema),
            inputs=inputs,
            types=[self.types[name] if name else None for name in names],
            roundings=[self.rounded.get(name, 0) for name in names],
            siblings=self.siblings[frozenset(names)],
        )
        outputs = _folded(operation) if folds else self.applied(operation)
        if isinstance(outputs, Final):
            self.finals[node.output[0]] = outputs
            return
        used = list(zip(node.output, outputs[: len(node.output)], strict=True))
        for name, value in used:
            if isinstance(value, RefusedError) and name in self.needed:
                raise value
        values = [value for value in outputs if not isinstance(value, RefusedError)]
        self.note_rounding(operation, values)
        for name, value in used:
            # The tensor that is taken for the input stays what it is.
            given = name == self.interface.input_name
            if name and not given and not isinstance(value, RefusedError):
                self.define(name, value, _declared(operation, value))
        if isinstance(outputs[0], Affine):
            self.siblings[frozenset(names)][kind] = outputs[0]

    def check_readable(self, name: str) -> None:
        """Refuse to read what nothing may come after."""
        if name in self.finals:
            head = self.finals[name].head
            raise RefusedError(f"reads a {head.name}, which has to be last")

    def applied(self, operation: Operation) -> Sequence[Value | RefusedError] | Final:
        """Return the outputs of a node by its reader, blocks added."""
        result = readers()[operation.node.op_type](operation)
        if isinstance(result, Block):
            return [self.append(result)]
        if isinstance(result, Generator):
            result = self.layered(result)
        return [result] if isinstance(result, np.ndarray | Affine) else result

    def layered(self, layers: Layers) -> Outputs:
        """Add blocks one by one and return what comes of them."""
        try:
            block = next(layers)
            while True:
                block = layers.send(self.append(block))
        except StopIteration as end:
            outputs: Outputs = end.value
            return outputs

    def join(self, composite: Composite) -> None:
        """Define the output of several nodes that are one activation."""
        (source,) = composite.input
        self.check_readable(source)
        value = self.value(source)
        if value is None:
            self.values |= dict.fromkeys(composite.node.output)
            return
        x = value if isinstance(value, Affine) else constant(real(value))
        shape = np.broadcast_shapes(x.shape, (1,) * composite.rank)
        reading = replace(x, shape=shape)
        block = Block(node_name(composite.node), reading, composite.activation)
        factor = float(composite.factor)
        rounded = int(Fraction(factor) != composite.factor)
        result = scaled(self.append(block), np.array(factor), rounded)
        self.define(composite.node.output[0], result, self.types[source])

    def note_rounding(self, operation: Operation, outputs: Sequence[Value]) -> None:
        """Keep track of constants that arithmetic in the graph may have rounded."""
        node = operation.node
        # Not by the outputs: a factor that is rounded to zero leaves nothing of them.
        if any(isinstance(value, Affine) and value.terms for value in operation.inputs):
            if not factors_known(operation):
                self.inexact.append(label(node))
            # What is left of biases, once nothing varies, has been rounded unseen.
            pairs = zip(node.output, outputs, strict=False)
            self.rounded |= {name: UNKNOWN for name, value in pairs if _is_fixed(value)}
            return
        inputs = [_array(value) for value in operation.inputs]
        arrays = [array for value in outputs if (array := _array(value)) is not None]
        if count := roundings(replace(operation, inputs=inputs), arrays):
            self.rounded |= {name: count for name in node.output if name}

    def value(self, name: str) -> Value | None:
        """Return the value of a tensor, None if it could not be read."""
        if name in self.interface.stored and name not in self.values:
            stored = self.interface.constant(name)
            self.define(name, stored, stored.dtype)
        return self.values[name]

    def define(self, name: str, value: Value, dtype: np.dtype[Any]) -> None:
        """Store a tensor."""
        self.values[name] = value
        self.types[name] = dtype

    def append(self, block: Block) -> Affine:
        """Add a block and return its output."""
        if not block.size:
            return block.preactivation
        self.blocks.append(block)
        return self.coordinates(len(self.blocks), block.preactivation.shape)

    def coordinates(self, block: int, shape: tuple[int, ...]) -> Affine:
        """Return the coordinates of a block as a tensor."""
        check_fits(shape)
        size = prod(shape)
        return Affine({block: identity(size)}, np.zeros(size), shape)


def _is_fixed(value: Value) -> bool:
    """Return whether an output of real numbers does not depend on the input."""
    if isinstance(value, Affine):
        return not value.terms
    return is_real(value.dtype)


def _array(value: Value | None) -> np.ndarray[Any, np.dtype[Any]] | None:
    """Return a constant as an array."""
    return value.bias.reshape(value.shape) if isinstance(value, Affine) else value


def _folded(operation: Operation) -> Sequence[Value]:
    """Return the outputs of a node that reads constants only."""
    inputs = [_array(value) for value in operation.inputs]
    match operation.node.op_type, inputs, operation.types:
        # What is held in float64 stands for a real number, which a cast may leave alone
        # if the types that the model declares do so, although float64 is wider.
        case "Cast", [np.ndarray() as value], [np.dtype() as source] if widens(
            source, from_code(operation.attributes["to"])
        ):
            return [value]
    return operation.evaluate(inputs)


def _declared(operation: Operation, value: Value) -> np.dtype[Any]:
    """Return the element type that an output has by ONNX, however it is held."""
    for name in _TYPES:
        if code := operation.attributes.get(name):
            return from_code(code)
    if operation.node.op_type == "CastLike" and operation.types[1]:
        return operation.types[1]
    real_types = [dtype for dtype in operation.types if dtype and is_real(dtype)]
    held = value.dtype if isinstance(value, np.ndarray) else None
    if held and not (is_real(held) and real_types):
        return held
    return real_types[0]
