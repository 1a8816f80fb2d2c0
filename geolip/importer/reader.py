"""Reading the bytes of a model, once, so that the hash is of what was read."""

import hashlib
import os
from pathlib import Path

from onnx import ModelProto
from onnx.external_data_helper import load_external_data_for_model, uses_external_data

from geolip.errors import UsageError
from geolip.importer.boundary import translated


def read(model: str | os.PathLike[str] | bytes | ModelProto) -> tuple[ModelProto, str]:
    """Return an ONNX model with its external data loaded, and its hash.

    Parameters
    ----------
    model : path, bytes or ModelProto
        A binary ONNX file, its content, or the model itself, which is returned
        unchanged.

    Returns
    -------
    ModelProto
        The model.
    str
        The sha256, in hexadecimal, of the bytes; of the serialised model if that is
        what was given, or if the file keeps data in others, which is then part of it.

    Raises
    ------
    UsageError
        If there is no such file, or it may not be read.
    ModelError
        If the file is not an ONNX model, or is damaged.
    """
    if isinstance(model, ModelProto):
        with translated("the model cannot be serialised"):
            return model, _sha256(model.SerializeToString(deterministic=True))
    if isinstance(model, bytes):
        with translated("the bytes are not an ONNX model, or are damaged"):
            return ModelProto.FromString(model), _sha256(model)
    path = Path(os.fsdecode(model))
    content = _content(path)
    with translated(f"{path} is not an ONNX model, or is damaged"):
        parsed = ModelProto.FromString(content)
    if not any(map(uses_external_data, parsed.graph.initializer)):
        return parsed, _sha256(content)
    with translated(f"{path}: external data"):
        load_external_data_for_model(parsed, str(path.parent))
        return parsed, _sha256(parsed.SerializeToString(deterministic=True))


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise UsageError(f"{path} is a directory: give the path of an ONNX file")
    if not path.exists():
        raise UsageError(f"{path} does not exist: give the path of an ONNX file")
    if not path.is_file():
        raise UsageError(f"{path} is not a regular file: give the path of an ONNX file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
