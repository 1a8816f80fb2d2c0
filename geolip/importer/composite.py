"""Activations that a graph spells out in several nodes.

Read one by one these would be refused, as products of two activations. Here the last
node is read as one function of an earlier tensor, which is exact, and nodes that nobody
else reads are left out. What is no known activation as a whole is read node by node.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import inf, prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import NodeProto

from geolip.activations import Activation
from geolip.importer.boundary import translated
from geolip.importer.definition import ONNX_DOMAINS, attributes_of, schema_of
from geolip.importer.elements import is_real
from geolip.importer.folding import evaluate
from geolip.importer.forms import (
    VARIABLE,
    Form,
    applied,
    clipped,
    logarithm,
    number,
    reciprocal,
)
from geolip.importer.interface import Interface
from geolip.importer.operation import label
from geolip.importer.patterns import matched
from geolip.importer.refusals import RefusedError

# No pattern computes more tensors, or more of them one from the other alone.
_TENSORS, _SOURCES = 20, 6
# Of these, some are functions, without which there is no pattern.
_FUNCTIONS = {
    *("Clip", "Erf", "Exp", "HardSigmoid", "Max", "Min", "Relu", "Sigmoid"),
    *("Softplus", "Tanh"),
}
_OPERATORS = {
    *_FUNCTIONS,
    *("Add", "Div", "Identity", "Log", "Mul", "Neg", "Pow", "Reciprocal", "Sub"),
}
# The last nodes of patterns: refused when read on their own.
_LAST = {"Div", "Log", "Mul", "Reciprocal"}


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
            constant = self.varying.isdisjoint(node.input)
            if not constant and node.op_type not in ("Shape", "Size"):
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
        for _ in range(_TENSORS):
            if name in self.interface.stored:
                dims = self.interface.stored[name].dims
                return self.interface.constant(name) if prod(dims) == 1 else None
            node = self.producers.get(name)
            if node is None or node.op_type not in ("Constant", "Identity"):
                return None
            if node.op_type == "Constant":
                with translated(label(node)):
                    return evaluate(node, self.interface.opset, [])[0]
            name = node.input[0]
        return None


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
            # None for what is computed: integers have their own arithmetic.
            constant = self.graph.constant(name)
            self.rank = max(self.rank, 0 if constant is None else constant.ndim)
            return None if constant is None else _number(constant)
        node = self.graph.producers[name]
        try:
            schema = schema_of(node, self.graph.interface.opset)
            attributes = attributes_of(node, schema)
        except (RefusedError, ValueError):  # reported when it is read on its own
            return None
        inputs = [self.form(name) if name else None for name in node.input]
        if node.op_type == "Clip":
            return _clip(attributes, inputs)
        given = [form for form in inputs if form is not None]
        return _combined(node.op_type, attributes, given) if given == inputs else None


def _combined(
    kind: str, attributes: Mapping[str, Any], inputs: Sequence[Form]
) -> Form | None:
    """Return what an operator makes of forms."""
    minus = number(-1)
    match kind, inputs:
        case "Identity", [x]:
            return x
        case "Neg", [x]:
            return minus * x
        case "Add", [x, y]:
            return x + y
        case "Sub", [x, y]:
            return x + minus * y
        case "Mul", [x, y]:
            return x * y
        case "Div", [x, y] if (inverse := reciprocal(y)) is not None:
            return x * inverse
        case "Reciprocal", [x]:
            return reciprocal(x)
        case "Log", [x]:
            return logarithm(x)
        case "Pow", [x, exponent] if exponent.number in (2, 3):
            return x * x if exponent.number == 2 else x * x * x
        case "HardSigmoid", [x]:
            alpha, beta = (_number(attributes[name]) for name in ("alpha", "beta"))
            if alpha is not None and beta is not None:
                return clipped(alpha * x + beta, Fraction(0), Fraction(1))
        case "Relu", [x]:
            return clipped(x, Fraction(0), inf)
        case (
            ("Max" | "Min"),
            ([x, Form(number=Fraction() as end)] | [Form(number=Fraction() as end), x]),
        ):
            return clipped(x, *((end, inf) if kind == "Max" else (-inf, end)))
        case (("Erf" | "Exp" | "Sigmoid" | "Softplus" | "Tanh"), [x]):
            return applied(kind, x)
    return None


def _clip(attributes: Mapping[str, Any], inputs: Sequence[Form | None]) -> Form | None:
    """Return a Clip with two ends, attributes before opset 11 and inputs since then."""
    match inputs:
        case [Form() as x]:
            ends = [_number(attributes.get(name, np.nan)) for name in ("min", "max")]
        case [Form() as x, *ends] if len(ends) == 2:
            pass
        case _:
            return None
    match ends:
        case [Form(number=Fraction() as low), Form(number=Fraction() as high)]:
            return clipped(x, low, high)
    return None


def _number(value: ArrayLike) -> Form | None:
    """Return a finite real number or integer, None for others."""
    array = np.asarray(value)
    if array.size != 1 or not (is_real(array.dtype) or array.dtype.kind in "iu"):
        return None
    entry = array.item()
    return number(Fraction(entry)) if math.isfinite(entry) else None
