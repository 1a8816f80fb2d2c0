"""Activations that a graph spells out in several nodes.

Read one by one these would be refused, as products of two activations. Here the last
node is read as one function of an earlier tensor, which is exact, and nodes that nobody
else reads are left out. What is no known activation as a whole is read node by node.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from geolip.activations import Activation
from geolip.importer.boundary import translated
from geolip.importer.definition import ONNX_DOMAINS, attributes_of, schema_of
from geolip.importer.folding import evaluate
from geolip.importer.formation import combined, number_of
from geolip.importer.forms import VARIABLE, Form, square_root
from geolip.importer.interface import Interface
from geolip.importer.operation import label
from geolip.importer.patterns import matched
from geolip.importer.refusals import RefusedError

# No pattern computes more tensors, or more of them one from the other alone.
_TENSORS, _SOURCES = 20, 6
# Of these, some are functions, without which there is no pattern.
_FUNCTIONS = {
    *("Abs", "Clip", "Erf", "Exp", "Greater", "GreaterOrEqual", "HardSigmoid"),
    *("Less", "LessOrEqual", "Max", "Min", "Relu", "Sigmoid", "Sign", "Softplus"),
    "Tanh",
}
_OPERATORS = {
    *_FUNCTIONS,
    *("Add", "Cast", "Div", "Identity", "Log", "Mul", "Neg", "Not", "Pow"),
    *("Reciprocal", "Sub", "Where"),
}
# Operators whose first output is of the type of their first input.
_TYPED = {
    *("Abs", "Add", "AveragePool", "BatchNormalization", "Clip", "Concat", "Conv"),
    *("ConvTranspose", "Div", "Erf", "Exp", "Flatten", "Gemm", "GlobalAveragePool"),
    *("HardSigmoid", "Identity", "LeakyRelu", "Log", "MatMul", "Max", "MaxPool", "Min"),
    *("Mul", "Neg", "Pad", "Pow", "Reciprocal", "Relu", "Reshape", "Sigmoid"),
    *("Slice", "Softplus", "Squeeze", "Sub", "Tanh", "Transpose", "Unsqueeze"),
}
# How many inputs matter by more than their shape or type.
_VALUES = {"CastLike": 1, "Shape": 0, "Size": 0}
# The last nodes of patterns: refused when read on their own.
_LAST = {"Div", "Log", "Mul", "Reciprocal", "Where"}


@dataclass(frozen=True, eq=False)
class Composite:
    """Several nodes that are one activation.

    Parameters
    ----------
    node : NodeProto
        The last one, whose output is ``factor`` times the activation of the source.
    input : tuple of str
        The source, a single tensor.
    activation : Activation
        The function.
    factor : Fraction
        A number.
    rank : int
        The least number of axes of the result, which constants of size 1 may raise.
    """

    node: NodeProto
    input: tuple[str]
    activation: Activation
    factor: Fraction
    rank: int


def with_composites(
    nodes: Sequence[NodeProto], interface: Interface
) -> list[NodeProto | Composite]:
    """Return what to read, in order: nodes, and composites in place of some.

    Parameters
    ----------
    nodes : sequence of NodeProto
        The nodes that the output depends on, in a possible order.
    interface : Interface
        The outside of the model.
    """
    graph = _Graph(nodes, interface)
    found: list[NodeProto | Composite] = []
    needed = {interface.output_name}
    for node in reversed(nodes):
        if needed.isdisjoint(node.output):
            continue
        found.append(graph.composite(node) or node)
        needed.update(filter(None, found[-1].input))
    return found[::-1]


class _Graph:
    """The nodes by their outputs, and which tensors depend on the network's input."""

    def __init__(self, nodes: Sequence[NodeProto], interface: Interface) -> None:
        self.interface = interface
        self.producers: dict[str, NodeProto] = {}
        self.varying = {interface.input_name}
        for node in nodes:
            # Others look at nothing but the shape or the type.
            read = node.input[: _VALUES.get(node.op_type)]
            if not self.varying.isdisjoint(read):
                self.varying.update(filter(None, node.output))
            if node.domain in ONNX_DOMAINS and node.op_type not in interface.redefined:
                self.producers.update(dict.fromkeys(node.output[:1], node))

    def composite(self, node: NodeProto) -> Composite | None:
        """Return the composite that ends in a node, if there is one."""
        if node.op_type not in _LAST:
            return None
        for source in self._sources(node):
            reading = _Reading(self, source)
            form = reading.form(node.output[0])
            found = None if form is None else matched(form)
            # A factor that is left over is better read on its own.
            if found and (found[1] == 1 or self.varying.issuperset(node.input)):
                return Composite(node, (source,), *found, reading.rank)
        return None

    def _sources(self, node: NodeProto) -> list[str]:
        """Return tensors that a node's output may be a function of, nearest first."""
        # What is read on the way to each tensor around; nothing of what is opaque.
        reads: dict[str, list[str]] = {}
        pending, kinds = deque(node.output), set()
        while pending and len(reads) < _TENSORS:
            name = pending.popleft()
            before = self.producers.get(name)
            if name in reads or before is None or before.op_type not in _OPERATORS:
                continue
            kinds.add(before.op_type)
            reads[name] = [tensor for tensor in before.input if tensor in self.varying]
            pending.extend(reads[name])
        if kinds.isdisjoint(_FUNCTIONS):
            return []
        around = dict.fromkeys(tensor for inner in reads.values() for tensor in inner)
        found = (name for name in around if _all_pass(node.output[0], name, reads))
        return list(islice(found, _SOURCES))

    def constant(self, name: str) -> NDArray[Any] | None:
        """Return a small constant that is stored, None for one that is computed."""
        cast = False
        for _ in range(_TENSORS):
            if name in self.interface.stored:
                dims = self.interface.stored[name].dims
                small = prod(dims) == 1
                return (
                    self._unless(cast, self.interface.constant(name)) if small else None
                )
            node = self.producers.get(name)
            if node is None:
                return None
            match node.op_type:
                case "Constant":
                    with translated(label(node)):
                        array = evaluate(node, self.interface.opset, [])[0]
                    return self._unless(cast, array)
                case "CastLike" if self._has_input_type(node.input[1]):
                    cast = True
                case "Identity":
                    pass
                case _:
                    return None
            name = node.input[0]
        return None

    def _has_input_type(self, name: str) -> bool:
        """Return whether a tensor is known to be of the element type of the input."""
        while name != self.interface.input_name:
            node = self.producers.get(name)
            if node is None or node.op_type not in _TYPED:
                return False
            name = node.input[0]
        return True

    def _unless(self, cast: bool, array: NDArray[Any]) -> NDArray[Any] | None:
        """Return a constant unless a cast to the input's type rounds it."""
        with np.errstate(all="ignore"):
            rounds = cast and (array.astype(self.interface.input_type) != array).any()
        return None if rounds else array


def _all_pass(end: str, through: str, reads: Mapping[str, Sequence[str]]) -> bool:
    """Return whether all that leads to a tensor comes through another one."""
    pending, seen = [end], {through}
    while pending:
        name = pending.pop()
        if name not in seen:
            if name not in reads:
                return False
            seen.add(name)
            pending.extend(reads[name])
    return True


class _Reading:
    """Tensors as functions of one of them, the source."""

    def __init__(self, graph: _Graph, source: str) -> None:
        self.graph = graph
        self.rank = 0
        self.forms: dict[str, Form | None] = {source: VARIABLE}

    def form(self, name: str) -> Form | None:
        """Return a tensor's form, None if it has none or a large one."""
        if name not in self.forms:
            form = self._form(name)
            self.forms[name] = form if form is not None and form.is_small else None
        return self.forms[name]

    def _form(self, name: str) -> Form | None:
        if name not in self.graph.varying:
            return self._constant(name)
        node = self.graph.producers[name]
        try:
            schema = schema_of(node, self.graph.interface.opset)
            attributes = attributes_of(node, schema)
        except (RefusedError, ValueError):  # reported when it is read on its own
            return None
        inputs: list[Form | None] = []
        for name in node.input:
            inputs.append(self.form(name) if name else None)
            if name and inputs[-1] is None:
                return None
        return combined(node.op_type, attributes, inputs)

    def _constant(self, name: str) -> Form | None:
        """Return the form of a constant that is stored, or the root of one that is.

        Nothing else is computed: integers have their own arithmetic.
        """
        root = self.graph.producers.get(name)
        rooted = root is not None and root.op_type == "Sqrt"
        constant = self.graph.constant(root.input[0] if root and rooted else name)
        if constant is None:
            return None
        self.rank = max(self.rank, constant.ndim)
        value = number_of(constant)
        return square_root(value) if rooted and value is not None else value
