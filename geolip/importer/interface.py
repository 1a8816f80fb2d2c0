"""What a model shows to the outside: its input, its output, its stored tensors."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

from geolip.errors import ModelError
from geolip.importer.boundary import translated
from geolip.importer.definition import ONNX_DOMAINS, opset_of
from geolip.importer.elements import code_name, from_code, is_real
from geolip.importer.ends import input_of, output_of
from geolip.importer.functions import inlined
from geolip.importer.stored import Stored, array_of


@dataclass(frozen=True, eq=False)
class Interface:
    """The outside of a model.

    Parameters
    ----------
    opset : int
        The version of the default operator set.
    input_name, output_name : str
        The tensors between which the network is.
    input_shape : tuple of int
        A free first dimension as 1.
    input_type : dtype
        A floating-point type.
    stored : mapping of str to TensorProto or SparseTensorProto
        The initialisers.
    nodes : sequence of NodeProto
        In an order in which they can run, with the model's functions written out.
    redefined : set of str
        ONNX's own operators that the model defines otherwise.
    """

    opset: int
    input_name: str
    input_shape: tuple[int, ...]
    input_type: np.dtype[Any]
    output_name: str
    stored: Mapping[str, Stored]
    nodes: Sequence[NodeProto]
    redefined: Set[str]

    def constant(self, name: str) -> NDArray[Any]:
        """Return a stored tensor in its own element type."""
        with translated(f"tensor {name!r}"):
            return array_of(self.stored[name])


def interface_of(
    model: ModelProto, input_name: str | None = None, output_name: str | None = None
) -> Interface:
    """Read the outside of a model, or of the part between two tensors.

    Parameters
    ----------
    model : ModelProto
        The model.
    input_name, output_name : str, optional
        The tensors; the only input that matters and the only output by default. Where
        the input is named, inputs with a stored default have this value.

    Raises
    ------
    UnknownTensorError
        If there is no such tensor.
    ModelError
        If there is not exactly one input and one output, or a name is not unique.
    """
    graph = model.graph
    for infos, kind in ((graph.input, "input"), (graph.output, "output")):
        if not infos:
            raise ModelError(
                f"the graph has no {kind}: is it an ONNX model of a network?"
            )
    stored: dict[str, Stored] = {tensor.name: tensor for tensor in graph.initializer}
    stored |= {tensor.values.name: tensor for tensor in graph.sparse_initializer}
    nodes = inlined(model)
    _check_names(model, stored, nodes, fixed=input_name is not None)
    if input_name is not None and input_name in {info.name for info in graph.input}:
        stored.pop(input_name, None)
    output = output_of(graph, nodes, output_name)
    given = input_of(graph, nodes, stored, output, input_name)
    with translated(f"input {given.name!r}"):
        input_shape = _shape(given)
        outer = any(given.name == info.name for info in graph.input)
        if not outer and not all(d.dim_value for d in given.type.tensor_type.shape.dim):
            raise ValueError("the model declares no fixed shape of it: export with one")
        input_type = _element_type(given)
    return Interface(
        opset=opset_of(model.opset_import, "the model"),
        input_name=given.name,
        input_shape=input_shape,
        input_type=input_type,
        output_name=output,
        stored=stored,
        nodes=nodes,
        redefined={f.name for f in model.functions if f.domain in ONNX_DOMAINS},
    )


def _check_names(
    model: ModelProto,
    stored: Mapping[str, Stored],
    nodes: Sequence[NodeProto],
    *,
    fixed: bool,
) -> None:
    graph = model.graph
    for node in nodes:
        _check_text(node.name, node.op_type, node.domain, *node.input, *node.output)
    _check_text(*(info.name for info in (*graph.input, *graph.output)), *stored)
    overridable = [info.name for info in graph.input if info.name in stored]
    # Before IR version 4 every initialiser had to be listed as an input.
    if overridable and model.ir_version >= 4 and not fixed:
        names = ", ".join(map(repr, overridable))
        raise ModelError(
            f"the initialisers {names} are also inputs, so that a caller may replace "
            "them: remove them from the graph's inputs, or name the input with "
            "--input-name"
        )
    for name, count in Counter(_defined(graph, nodes)).items():
        if count > 1 + (name in stored and name in overridable):
            raise ModelError(f"tensor {name!r} is defined {count} times")


def _check_text(*names: object) -> None:
    # What is no UTF-8 protobuf returns as bytes.
    for name in names:
        if not isinstance(name, str):
            raise ModelError(f"the name {name!r} is not text in UTF-8")


def _defined(graph: GraphProto, nodes: Sequence[NodeProto]) -> list[str]:
    names = [tensor.name for tensor in graph.initializer]
    names += [tensor.values.name for tensor in graph.sparse_initializer]
    names += [info.name for info in graph.input]
    return names + [name for node in nodes for name in node.output if name]


def _shape(info: ValueInfoProto) -> tuple[int, ...]:
    if not info.type.tensor_type.HasField("shape"):
        raise ValueError("it has no shape, so that its rank is unknown")
    dimensions = info.type.tensor_type.shape.dim
    sizes = [dim.dim_value for dim in dimensions]
    if any(size < 0 for size in sizes):
        raise ValueError(f"its shape {sizes} has a negative dimension")
    # Symbolic and missing dimensions read as 0 here. The first one counts independent
    # samples, of which one is enough; any other size would be another network.
    if not all(sizes[1:]):
        shown = ", ".join(str(d.dim_value or d.dim_param or "?") for d in dimensions)
        raise ValueError(
            f"its shape ({shown}) has a free dimension after the first: export the "
            "model with a fixed shape"
        )
    return tuple(size or 1 for size in sizes)


def _element_type(info: ValueInfoProto) -> np.dtype[Any]:
    code = info.type.tensor_type.elem_type
    if not code or not is_real(from_code(code)):
        raise ValueError(
            f"it holds {code_name(code)}: expected FLOAT, DOUBLE, FLOAT16 or BFLOAT16"
        )
    return from_code(code)
