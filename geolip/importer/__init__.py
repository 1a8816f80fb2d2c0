"""From a stored model to a `Network`: ONNX files, ONNX models, lists of matrices."""

import os
from collections.abc import Sequence
from typing import TypeAlias

from numpy.typing import ArrayLike
from onnx import ModelProto

from geolip.errors import UsageError
from geolip.importer.graph import build
from geolip.importer.limits import Limits as Limits
from geolip.importer.matrices import from_matrices as from_matrices
from geolip.importer.matrices import hash_matrices
from geolip.importer.reader import Source, fetch
from geolip.importer.reader import read as read
from geolip.importer.rehearsal import rehearse
from geolip.network import Network

DEFAULT_LIMITS = Limits()

Model: TypeAlias = str | os.PathLike[str] | bytes | ModelProto | Sequence[ArrayLike]


def load(model: Model, limits: Limits = DEFAULT_LIMITS) -> Network:
    """Read a model.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        An ONNX file, its content, an ONNX model in memory, or weight matrices with a
        ReLU between each two and no biases.
    limits : Limits
        The most that reading a file or its content may take.

    Returns
    -------
    Network
        The function of the stored parameters, in inference mode; a free first
        dimension of the input is 1.

    Raises
    ------
    UsageError
        If there is no such file, or the matrices do not form a network.
    ModelError
        If the model cannot be read or contradicts itself.
    UnsupportedModelError
        If the output depends on nodes that cannot be certified; it lists all of them.
    """
    return load_with_hash(model, limits)[0]


def load_with_hash(
    model: Model, limits: Limits = DEFAULT_LIMITS
) -> tuple[Network, str]:
    """Read a model and tell which one it was.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        As for `load`, which raises the same errors.
    limits : Limits
        The same.

    Returns
    -------
    Network
        The network.
    str
        The sha256, in hexadecimal, of the bytes, the serialised model or the matrices.
    """
    if isinstance(model, ModelProto):
        return _built(model)
    if isinstance(model, str | os.PathLike | bytes):
        source = fetch(model)
        rehearse(lambda: _built(source), limits)
        return _built(source)
    if isinstance(model, Sequence):
        return from_matrices(model), hash_matrices(model)
    raise UsageError(
        f"a model of type {type(model).__name__} cannot be read: give the path of an "
        "ONNX file, an onnx.ModelProto or a list of weight matrices"
    )


def _built(model: Source | ModelProto) -> tuple[Network, str]:
    parsed, sha256 = read(model)
    return build(parsed), sha256
