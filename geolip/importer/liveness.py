"""Which nodes an output depends on, and whether they stand in a possible order."""

from collections.abc import Collection, Sequence

from onnx import NodeProto

from geolip.errors import ModelError
from geolip.importer.operation import label


def live_nodes(
    nodes: Sequence[NodeProto], output: str, given: Collection[str]
) -> list[NodeProto]:
    """Return the nodes that tensor ``output`` depends on, in the same order.

    Parameters
    ----------
    nodes : sequence of NodeProto
        The nodes of a graph in which every tensor has one name.
    output : str
        A tensor.
    given : collection of str
        The tensors that no node computes.

    Raises
    ------
    ModelError
        If a tensor is missing, or is read before it is computed.
    """
    producer = {
        name: place for place, node in enumerate(nodes) for name in node.output if name
    }
    if output not in producer and output not in given:
        raise ModelError(f"the output {output!r} is computed by no node")
    live: set[int] = set()
    pending = [producer[output]] if output not in given else []
    while pending:
        place = pending.pop()
        if place in live:
            continue
        live.add(place)
        node = nodes[place]
        for name in filter(None, node.input):
            if name in given:
                continue
            if name not in producer:
                raise ModelError(
                    f"{label(node)} reads tensor {name!r}, which is neither an input, "
                    "nor stored, nor computed"
                )
            if producer[name] >= place:
                raise ModelError(
                    f"{label(node)} reads tensor {name!r} before it is computed: the "
                    "graph has a cycle or its nodes are out of order"
                )
            pending.append(producer[name])
    return [nodes[place] for place in sorted(live)]
