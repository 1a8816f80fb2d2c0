"""Calls of the functions that a model defines, replaced by what the functions do.

Every call gets nodes of its own, whose tensors are renamed so that none meets one of
the graph or of another call. What a function does not define it cannot read.

Source: ONNX, docs/IR.md, section Functions.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    defs,
)

from geolip.errors import ModelError
from geolip.importer.boundary import translated
from geolip.importer.definition import ONNX_DOMAINS, opset_of
from geolip.importer.operation import label, node_name

# Functions that call functions are short ways of writing long graphs.
_MOST_NODES, _DEEPEST = 10**5, 100


def inlined(model: ModelProto) -> Sequence[NodeProto]:
    """Return the nodes of a model's graph, without calls of its functions.

    Functions that redefine operators of ONNX stay calls.

    Raises
    ------
    ModelError
        If a function calls itself, does not fit its call, or means other versions of
        ONNX's operators than the model.
    """
    inliner = _Inliner(model)
    if not inliner.functions:
        return list(model.graph.node)
    for node in model.graph.node:
        inliner.add(node, ())
    return inliner.nodes


_Key = tuple[str, str, str]


class _Inliner:
    """The nodes so far, and the names that they and the graph have taken."""

    def __init__(self, model: ModelProto) -> None:
        self.opsets = model.opset_import
        self.functions: dict[_Key, FunctionProto] = {}
        self.nodes: list[NodeProto] = []
        for function in model.functions:
            if function.domain in ONNX_DOMAINS:
                continue
            key = (function.domain, function.name, function.overload)
            if key in self.functions:
                raise ModelError(f"function {function.name!r} is defined twice")
            self.functions[key] = function
        self._taken = set(_names(model.graph)) if self.functions else set()
        self._numbers = count(2)

    def add(self, node: NodeProto, calls: tuple[_Key, ...]) -> None:
        """Add a node, or what it calls in its place, below these calls."""
        key = (node.domain, node.op_type, node.overload)
        function = self.functions.get(key)
        if function is None:
            if len(self.nodes) >= _MOST_NODES:
                raise ModelError(
                    f"calls of functions make the graph longer than {_MOST_NODES} nodes"
                )
            self.nodes.append(node)
            return
        with translated(label(node)):
            if key in calls:
                raise ValueError("the function calls itself")
            if len(calls) >= _DEEPEST:
                raise ValueError(f"functions call each other {_DEEPEST} deep")
            body = list(self._body(node, function))
        for inner in body:
            self.add(inner, (*calls, key))

    def _body(self, call: NodeProto, function: FunctionProto) -> Iterator[NodeProto]:
        """Yield copies of a function's nodes that compute the outputs of a call."""
        attributes = _attributes(call, function)
        names = self._bound(call, function)
        for node in function.node:
            self._check_version(node, function)
            inner = NodeProto()
            inner.CopyFrom(node)
            inner.name = f"{node_name(call)}/{node_name(node)}"
            for tensors in (inner.input, inner.output):
                tensors[:] = [self._renamed(name, names, call) for name in tensors]
            del inner.attribute[:]
            inner.attribute.extend(_resolved(node, attributes))
            yield inner

    def _bound(self, call: NodeProto, function: FunctionProto) -> dict[str, str]:
        """Return the names that a function's inputs and outputs have for a call."""
        inputs, outputs = list(function.input), list(function.output)
        computed = [name for node in function.node for name in node.output if name]
        for defined, what in ((inputs + computed, "tensors"), (outputs, "outputs")):
            if len(set(defined)) < len(defined):
                raise ValueError(f"two {what} of the function have one name")
        if common := set(inputs) & set(outputs):
            raise ValueError(
                f"{min(common)!r} is an input and an output of the function"
            )
        if len(call.input) > len(inputs) or len(call.output) > len(outputs):
            raise ValueError(
                f"the function has {len(inputs)} inputs and {len(outputs)} outputs, "
                f"the call {len(call.input)} and {len(call.output)}"
            )
        names = dict.fromkeys(["", *inputs], "")
        names |= zip(inputs, call.input, strict=False)
        for formal, actual in zip(outputs, call.output, strict=False):
            if actual:
                names[formal] = actual
        return names

    def _renamed(self, name: str, names: dict[str, str], call: NodeProto) -> str:
        """Return what a function's tensor is called in the graph."""
        if name not in names:
            fresh = f"{node_name(call)}/{name}"
            while fresh in self._taken:
                fresh = f"{node_name(call)}/{name}:{next(self._numbers)}"
            self._taken.add(fresh)
            names[name] = fresh
        return names[name]

    def _check_version(self, node: NodeProto, function: FunctionProto) -> None:
        """Refuse an operator that is another one in the model's version of ONNX."""
        if node.domain not in ONNX_DOMAINS:
            return
        meant = opset_of(function.opset_import, "the function")
        known = opset_of(self.opsets, "the model")
        if meant == known:
            return
        kinds = [
            defs.get_schema(node.op_type, version, "").since_version
            for version in (meant, known)
        ]
        if kinds[0] != kinds[1]:
            raise ValueError(
                f"the function means {node.op_type} of opset {meant}, which is another "
                f"one in the model's opset {known}: convert them to one version"
            )


def _names(graph: GraphProto) -> Iterator[str]:
    yield from (info.name for info in graph.input)
    yield from (tensor.name for tensor in graph.initializer)
    yield from (tensor.values.name for tensor in graph.sparse_initializer)
    for node in graph.node:
        yield from node.input
        yield from node.output


def _attributes(
    call: NodeProto, function: FunctionProto
) -> Mapping[str, AttributeProto]:
    """Return the values that a function's attributes have for a call."""
    values = {default.name: default for default in function.attribute_proto}
    allowed = {*values, *function.attribute}
    for given in call.attribute:
        if given.name not in allowed:
            raise ValueError(f"the function has no attribute {given.name!r}")
        values[given.name] = given
    return values


def _resolved(
    node: NodeProto, values: Mapping[str, AttributeProto]
) -> Iterator[AttributeProto]:
    """Yield a node's attributes, with values in place of references.

    An attribute that refers to one which is not given is not given either.
    """
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            yield attribute
        elif attribute.ref_attr_name in values:
            value = AttributeProto()
            value.CopyFrom(values[attribute.ref_attr_name])
            if value.type != attribute.type:
                raise ValueError(
                    f"its attribute {attribute.ref_attr_name!r} has the wrong type"
                )
            value.name = attribute.name
            yield value
