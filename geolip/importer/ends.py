"""The two tensors between which a network is, where a model leaves a choice.

The output may be any tensor, such as the logits before a Softmax. The input may be any
tensor through which alone the output depends on the model's inputs; all other inputs
must not matter.
"""

from collections.abc import Collection, Sequence

from onnx import GraphProto, NodeProto, ValueInfoProto

from geolip.errors import ModelError, UnknownTensorError
from geolip.importer.liveness import live_nodes


def output_of(graph: GraphProto, nodes: Sequence[NodeProto], name: str | None) -> str:
    """Return the name of the output.

    Parameters
    ----------
    graph : GraphProto
        The graph.
    nodes : sequence of NodeProto
        Its nodes, functions inlined.
    name : str or None
        The tensor that is asked for; None for the only output.

    Raises
    ------
    UnknownTensorError
        If there is no such tensor.
    ModelError
        If there is not one output to take.
    """
    if name is not None:
        computed = {tensor for node in nodes for tensor in node.output}
        if not name or name not in computed | {info.name for info in graph.output}:
            raise UnknownTensorError(
                f"there is no tensor {name!r} to take for the output: the model's "
                f"outputs are {_names(graph.output)}, and any tensor that a node "
                "computes may be one"
            )
        return name
    if len(graph.output) > 1:
        raise ModelError(
            f"the graph has {len(graph.output)} outputs ({_names(graph.output)}): name "
            "one with --output-name"
        )
    return str(graph.output[0].name)


def input_of(
    graph: GraphProto,
    nodes: Sequence[NodeProto],
    stored: Collection[str],
    output: str,
    name: str | None,
) -> ValueInfoProto:
    """Return the input with its declared type and shape.

    Parameters
    ----------
    graph : GraphProto
        The graph.
    nodes : sequence of NodeProto
        Its nodes, functions inlined.
    stored : collection of str
        The tensors that are constants.
    output : str
        The output's name.
    name : str or None
        The tensor that is asked for; None for the only input that matters.

    Raises
    ------
    UnknownTensorError
        If there is no such tensor, or the model does not tell its shape.
    ModelError
        If there is not one input to take, or the output depends on others too.
    """
    taken: dict[str, ValueInfoProto] = {
        info.name: info for info in graph.input if info.name not in stored
    }
    if name is not None:
        info = taken[name] if name in taken else _inner(graph, nodes, name)
        others = _read(nodes, output, {name, *stored, *taken}) & taken.keys() - {name}
        if others:
            raise ModelError(
                f"output {output!r} depends on {_quoted(sorted(others))} besides "
                f"{name!r}: store them as initialisers with the values that they have"
            )
        return info
    if not taken:
        raise ModelError("all inputs of the graph are stored: it computes a constant")
    if len(taken) == 1:
        return next(iter(taken.values()))
    read = _read(nodes, output, {*stored, *taken}) & taken.keys()
    if len(read) != 1:
        raise ModelError(
            f"the graph has {len(taken)} inputs ({_quoted(taken)}), and output "
            f"{output!r} depends on {_quoted(sorted(read)) or 'none'} of them: store "
            "all but one as initialisers, or name a tensor that comes after them with "
            "--input-name"
        )
    return taken[read.pop()]


def _inner(graph: GraphProto, nodes: Sequence[NodeProto], name: str) -> ValueInfoProto:
    """Return what the model declares of a tensor that a node computes."""
    if not name or not any(name in node.output for node in nodes):
        raise UnknownTensorError(
            f"there is no tensor {name!r} to take for the input: the model's inputs "
            f"are {_names(graph.input)}, and a tensor that a node computes may be one"
        )
    declared: dict[str, ValueInfoProto] = {
        info.name: info for info in (*graph.output, *graph.value_info)
    }
    if name in declared:
        return declared[name]
    raise UnknownTensorError(
        f"the model does not tell the shape of tensor {name!r}: "
        "infer_shapes of ONNX adds the shapes of all tensors"
    )


def _read(nodes: Sequence[NodeProto], output: str, given: Collection[str]) -> set[str]:
    """Return what the nodes that matter for the output read, and the output."""
    live = live_nodes(nodes, output, given)
    return {output, *(name for node in live for name in node.input)}


def _names(infos: Collection[ValueInfoProto]) -> str:
    return _quoted([info.name for info in infos])


def _quoted(names: Collection[str]) -> str:
    return ", ".join(map(repr, names))
