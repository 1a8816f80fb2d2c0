"""Reading the bytes of a model, once, so that the hash is of what was read."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from onnx import ModelProto

from geolip.errors import ModelError, UsageError
from geolip.importer.boundary import translated
from geolip.importer.external import LARGEST, load_external_data


@dataclass(frozen=True, eq=False)
class Source:
    """The bytes of a model, not yet looked at.

    Parameters
    ----------
    content : bytes
        Hostile until proved otherwise.
    name : str
        What a message calls them.
    folder : Path or None
        Where the model may keep data in other files.
    """

    content: bytes
    name: str
    folder: Path | None


def fetch(model: str | os.PathLike[str] | bytes) -> Source:
    """Return the bytes of a model.

    Raises
    ------
    UsageError
        If there is no such file, or it may not be read.
    ModelError
        If there are more bytes than protobuf can hold.
    """
    if isinstance(model, bytes):
        name = f"the model of {len(model)} bytes"
        _check_size(name, len(model))
        return Source(model, name, None)
    path = Path(os.fsdecode(model))
    return Source(_content(path), str(path), path.parent)


def read(
    model: str | os.PathLike[str] | bytes | ModelProto | Source,
) -> tuple[ModelProto, str]:
    """Return an ONNX model with its external data loaded, and its hash.

    Parameters
    ----------
    model : path, bytes, Source or ModelProto
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
    source = model if isinstance(model, Source) else fetch(model)
    with translated(f"{source.name} is not an ONNX model, or is damaged"):
        parsed = ModelProto.FromString(source.content)
    if source.folder is None or not load_external_data(parsed, source.folder):
        return parsed, _sha256(source.content)
    with translated(f"{source.name} with its external data cannot be serialised"):
        return parsed, _sha256(parsed.SerializeToString(deterministic=True))


def _content(path: Path) -> bytes:
    try:
        # Without waiting for whoever writes to a pipe.
        with open(path, "rb", opener=_without_waiting) as file:
            state = os.fstat(file.fileno())
            if S_ISREG(state.st_mode):
                _check_size(str(path), state.st_size)
                return file.read(state.st_size)
    except FileNotFoundError as error:
        raise UsageError(
            f"{path} does not exist: give the path of an ONNX file"
        ) from error
    except IsADirectoryError as error:
        raise UsageError(
            f"{path} is a directory: give the path of an ONNX file"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read: {reason}") from error
    raise UsageError(f"{path} is not a regular file: give the path of an ONNX file")


def _check_size(name: str, size: int) -> None:
    if size > LARGEST:
        raise ModelError(
            f"{name} has more than {LARGEST} bytes, which no ONNX file can: store "
            "large tensors as external data"
        )


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
