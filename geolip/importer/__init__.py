"""From a stored model to a `Network`: ONNX, files of weights, lists of matrices."""

import os
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

from geolip.errors import UnknownTensorError
from geolip.importer.fate import Fate as Fate
from geolip.importer.graph import build
from geolip.importer.graph import survey as _survey
from geolip.importer.limits import Limits as Limits
from geolip.importer.matrices import from_matrices as from_matrices
from geolip.importer.pytorch import export as export
from geolip.importer.reader import Model as Model
from geolip.importer.reader import Source as Source
from geolip.importer.reader import fetch as fetch
from geolip.importer.reader import read as read
from geolip.importer.rehearsal import rehearse
from geolip.network import Network

_Result = TypeVar("_Result")

DEFAULT_LIMITS = Limits()

# Readings of strangers that went well: a child of a large process costs more than its
# reading does, as this one's memory is copied wherever it is written to.
_KNOWN: set[Hashable] = set()
# A child process waits for ever for a module that another thread was importing.
_READING = Lock()


def load(
    model: Model,
    limits: Limits = DEFAULT_LIMITS,
    *,
    input_name: str | None = None,
    output_name: str | None = None,
) -> Network:
    """Read a model.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        An ONNX file or a file of weights (``.mat``, ``.npz``, ``.nnet``), the content
        of one, an ONNX model in memory, or weight matrices. Matrices have a ReLU
        between each two and no biases.
    limits : Limits
        The most that reading a file or its content may take.
    input_name, output_name : str, optional
        The tensors of an ONNX graph between which the network is. The
        output may be any tensor that a node computes, the input any tensor through
        which alone the output depends on inputs; by default they are the only output
        and the only input that matters. Where the input is named, inputs with a stored
        default have this value.

    Returns
    -------
    Network
        The function of the stored parameters, in inference mode; a free first
        dimension of the input is 1.

    Raises
    ------
    UsageError
        If there is no such file or tensor, or the matrices do not form a network.
    ModelError
        If the model cannot be read or contradicts itself.
    UnsupportedModelError
        If the output depends on nodes that cannot be certified; it lists all of them.
    """
    return load_with_hash(
        model, limits, input_name=input_name, output_name=output_name
    )[0]


def load_with_hash(
    model: Model,
    limits: Limits = DEFAULT_LIMITS,
    *,
    input_name: str | None = None,
    output_name: str | None = None,
) -> tuple[Network, str]:
    """Read a model and tell which one it was.

    Parameters
    ----------
    model, limits, input_name, output_name
        As for `load`, which raises the same errors.

    Returns
    -------
    Network
        The network.
    str
        The sha256, in hexadecimal, of the bytes, the serialised model or the matrices.
    """
    return _rehearsed(_built, model, limits, input_name, output_name)


def survey(
    model: Model,
    limits: Limits = DEFAULT_LIMITS,
    *,
    input_name: str | None = None,
    output_name: str | None = None,
) -> list[Fate]:
    """Return what becomes of every node, also of a model that is not supported.

    Parameters
    ----------
    model, limits, input_name, output_name
        As for `load`, which raises the same errors but the last.

    Returns
    -------
    list of Fate
        One for every node that the output depends on, in the order of the graph; none
        for weight matrices.
    """
    return _rehearsed(_nodes, model, limits, input_name, output_name)


def _rehearsed(
    work: Callable[[Model | Source, str | None, str | None], _Result],
    model: Model,
    limits: Limits,
    *ends: str | None,
) -> _Result:
    """Do what reads a model, first in a child process if it is of a stranger.

    A stranger that has been read in the same way is none any more.
    """
    with _READING:
        if not isinstance(model, str | os.PathLike | bytes):
            return work(model, *ends)
        source = fetch(model)
        asked = work, source.identity, limits, ends
        if asked not in _KNOWN:
            rehearse(lambda: work(source, *ends), limits)
        result = work(source, *ends)
        if source.is_whole:
            _KNOWN.add(asked)
        return result


def _nodes(
    model: Model | Source, input_name: str | None, output_name: str | None
) -> list[Fate]:
    held, _ = read(model)
    return [] if isinstance(held, Network) else _survey(held, input_name, output_name)


def _built(
    model: Model | Source, input_name: str | None, output_name: str | None
) -> tuple[Network, str]:
    held, sha256 = read(model)
    if not isinstance(held, Network):
        return build(held, input_name, output_name), sha256
    ends = (input_name, held.input_name), (output_name, held.output_name)
    for asked, name in ends:
        if asked not in (None, name):
            raise UnknownTensorError(
                f"there is no tensor {asked!r}: a network of weight matrices is from "
                f"{held.input_name!r} to {held.output_name!r}"
            )
    return held, sha256
