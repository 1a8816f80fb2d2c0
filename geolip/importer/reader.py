"""Reading the bytes of a model, once, so that the hash is of what was read."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import TypeAlias

from numpy.typing import ArrayLike
from onnx import ModelProto

from geolip.errors import ModelError, UsageError
from geolip.importer.boundary import translated
from geolip.importer.external import LARGEST, load_external_data
from geolip.importer.formats import format_of
from geolip.importer.matrices import from_matrices, hash_matrices
from geolip.network import Network

Model: TypeAlias = str | os.PathLike[str] | bytes | ModelProto | Sequence[ArrayLike]


@dataclass(frozen=True, eq=False)
class Source:
    """The bytes of a model, not yet looked at.

    Parameters
    ----------
    content : bytes
        Hostile until proved otherwise.
    path : Path or None
        The file that they are from.
    """

    content: bytes
    path: Path | None

    @property
    def name(self) -> str:
        """What a message calls them."""
        return "the bytes" if self.path is None else str(self.path)


def fetch(model: Model) -> Model | Source:
    """Return the bytes of a model, or what else it is.

    Raises
    ------
    UsageError
        If there is no such file, or it may not be read.
    ModelError
        If there are more bytes than protobuf can hold.
    """
    if isinstance(model, bytes):
        _check_size("the model", len(model))
        return Source(model, None)
    if isinstance(model, str | os.PathLike):
        path = Path(os.fsdecode(model))
        return Source(_content(path), path)
    return model


def read(model: Model | Source) -> tuple[ModelProto | Network, str]:
    """Return what a model holds, and its hash.

    Parameters
    ----------
    model : path, bytes, Source, ModelProto or sequence of array (n_k, n_{k-1})
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
    held = fetch(model) if not isinstance(model, Source) else model
    if isinstance(held, Source):
        return _parsed(held)
    if isinstance(held, ModelProto):
        with translated("the model cannot be serialised"):
            return held, _sha256(held.SerializeToString(deterministic=True))
    if isinstance(held, Sequence):
        return from_matrices(held), hash_matrices(held)
    raise UsageError(
        f"a model of type {type(model).__name__} cannot be read: give the path of an "
        "ONNX file or of a file of weights, an onnx.ModelProto, a list of weight "
        "matrices, or a torch.nn.Module with example_input"
    )


def _parsed(source: Source) -> tuple[ModelProto | Network, str]:
    name, content = source.name, source.content
    weights = format_of(source.path, content)
    if weights is not None:
        with translated(f"{name}: no {weights.ending} file of a network"):
            return weights.read(content), _sha256(content)
    are = "are" if source.path is None else "is"
    with translated(f"{name} {are} not an ONNX model, or {are} damaged"):
        parsed = ModelProto.FromString(content)
    if source.path is None or not load_external_data(parsed, source.path.parent):
        return parsed, _sha256(content)
    with translated(f"{name} with its external data cannot be serialised"):
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
            f"{path} does not exist: give the path of a model file"
        ) from error
    except IsADirectoryError as error:
        raise UsageError(
            f"{path} is a directory: give the path of a model file"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read: {reason}") from error
    raise UsageError(f"{path} is not a regular file: give the path of a model file")


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
