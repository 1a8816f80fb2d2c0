"""From a stored model to a `Network`: ONNX files, ONNX models, lists of matrices."""

import os
from collections.abc import Sequence
from typing import TypeAlias

from numpy.typing import ArrayLike
from onnx import ModelProto

from geolip.errors import UsageError
from geolip.importer.graph import build
from geolip.importer.matrices import from_matrices as from_matrices
from geolip.importer.matrices import hash_matrices
from geolip.importer.reader import read as read
from geolip.network import Network

Model: TypeAlias = str | os.PathLike[str] | bytes | ModelProto | Sequence[ArrayLike]


def load(model: Model) -> Network:
    """Read a model.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        An ONNX file, its content, an ONNX model in memory, or weight matrices with a
        ReLU between each two and no biases.

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
    return load_with_hash(model)[0]


def load_with_hash(model: Model) -> tuple[Network, str]:
    """Read a model and tell which one it was.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        As for `load`, which raises the same errors.

    Returns
    -------
    Network
        The network.
    str
        The sha256, in hexadecimal, of the bytes, the serialised model or the matrices.
    """
    if isinstance(model, str | os.PathLike | bytes | ModelProto):
        parsed, sha256 = read(model)
        return build(parsed), sha256
    if isinstance(model, Sequence):
        return from_matrices(model), hash_matrices(model)
    raise UsageError(
        f"a model of type {type(model).__name__} cannot be read: give the path of an "
        "ONNX file, an onnx.ModelProto or a list of weight matrices"
    )
