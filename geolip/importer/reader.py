"""Reading the bytes of a model, once, so that the hash is of what was read."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from numpy.typing import ArrayLike
from onnx import ModelProto
from onnx.external_data_helper import load_external_data_for_model, uses_external_data

from geolip.errors import UsageError
from geolip.importer.boundary import translated
from geolip.importer.formats import format_of
from geolip.importer.matrices import from_matrices, hash_matrices
from geolip.network import Network

Model: TypeAlias = str | os.PathLike[str] | bytes | ModelProto | Sequence[ArrayLike]


def read(model: Model) -> tuple[ModelProto | Network, str]:
    """Return what a model holds, and its hash.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        A binary ONNX file or a file of weights (`geolip.importer.formats`), the content
        of one, an ONNX model, which is returned unchanged, or weight matrices.

    Returns
    -------
    ModelProto or Network
        An ONNX model with its external data loaded; of weights, their network.
    str
        The sha256, in hexadecimal, of the bytes or the matrices; of the serialised
        model if that is what was given, or if the file keeps data in others, which is
        then part of it.

    Raises
    ------
    UsageError
        If there is no such file, or it may not be read, or the matrices do not form a
        network.
    ModelError
        If the content is of no such format, or is damaged.
    """
    if isinstance(model, ModelProto):
        with translated("the model cannot be serialised"):
            return model, _sha256(model.SerializeToString(deterministic=True))
    if isinstance(model, bytes):
        return _parsed(None, model)
    if isinstance(model, str | os.PathLike):
        path = Path(os.fsdecode(model))
        return _parsed(path, _content(path))
    if isinstance(model, Sequence):
        return from_matrices(model), hash_matrices(model)
    raise UsageError(
        f"a model of type {type(model).__name__} cannot be read: give the path of an "
        "ONNX file or of a file of weights, an onnx.ModelProto, a list of weight "
        "matrices, or a torch.nn.Module with example_input"
    )


def _parsed(path: Path | None, content: bytes) -> tuple[ModelProto | Network, str]:
    subject = "the bytes" if path is None else str(path)
    weights = format_of(path, content)
    if weights is not None:
        with translated(f"{subject}: no {weights.ending} file of a network"):
            return weights.read(content), _sha256(content)
    are = "are" if path is None else "is"
    with translated(f"{subject} {are} not an ONNX model, or {are} damaged"):
        parsed = ModelProto.FromString(content)
    if path is None or not any(map(uses_external_data, parsed.graph.initializer)):
        return parsed, _sha256(content)
    with translated(f"{path}: external data"):
        load_external_data_for_model(parsed, str(path.parent))
        return parsed, _sha256(parsed.SerializeToString(deterministic=True))


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise UsageError(f"{path} is a directory: give the path of a model file")
    if not path.exists():
        raise UsageError(f"{path} does not exist: give the path of a model file")
    if not path.is_file():
        raise UsageError(f"{path} is not a regular file: give the path of a model file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
