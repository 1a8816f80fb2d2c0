"""From an ONNX model to a network: all its nodes, read one after the other."""

from onnx import ModelProto

from geolip.errors import GeolipError, ModelError, UnsupportedModelError
from geolip.importer.composite import with_composites
from geolip.importer.fate import Fate
from geolip.importer.interface import interface_of
from geolip.importer.liveness import live_nodes
from geolip.importer.walk import Walk
from geolip.network import Network


def build(
    model: ModelProto, input_name: str | None = None, output_name: str | None = None
) -> Network:
    """Return the network of an ONNX model, or of the part between two tensors.

    Parameters
    ----------
    model : ModelProto
        The model.
    input_name, output_name : str, optional
        As for `geolip.importer.load`.

    Raises
    ------
    UnknownTensorError
        If there is no such tensor.
    ModelError
        If the model contradicts itself.
    UnsupportedModelError
        If the output depends on nodes that cannot be certified; it lists all of them.
    """
    walk, _ = _walked(model, input_name, output_name)
    if walk.problems:
        raise UnsupportedModelError(walk.problems)
    network = walk.network()
    if input_name not in (None, *(info.name for info in model.graph.input)):
        _check_shape(model, network)
    return network


def _check_shape(model: ModelProto, network: Network) -> None:
    """Refuse an inner tensor for input whose declared shape is not the one it has."""
    name = network.input_name
    try:
        found = build(model, None, name).output.shape
    except GeolipError:
        # What comes before it need not be readable.
        return
    if found != network.input_shape:
        raise ModelError(
            f"tensor {name!r} has shape {found}, but the model declares "
            f"{network.input_shape}: export it again"
        )


def survey(
    model: ModelProto, input_name: str | None = None, output_name: str | None = None
) -> list[Fate]:
    """Return what becomes of every node that matters, also if some are refused.

    Parameters
    ----------
    model, input_name, output_name
        As for `build`, which raises the same errors but the last.
    """
    return _walked(model, input_name, output_name)[1]


def _walked(
    model: ModelProto, input_name: str | None, output_name: str | None
) -> tuple[Walk, list[Fate]]:
    interface = interface_of(model, input_name, output_name)
    given = {interface.input_name, *interface.stored}
    nodes = live_nodes(interface.nodes, interface.output_name, given)
    parts = with_composites(nodes, interface)
    needed = {interface.output_name, *(name for part in parts for name in part.input)}
    walk = Walk(interface, needed)
    fates = []
    for part in parts:
        before = len(walk.problems), len(walk.blocks)
        walk.read(part)
        fates.append(walk.fate(part, *before))
    return walk, fates
