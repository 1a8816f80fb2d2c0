"""Reading the bytes of a model, once, so that the hash is of what was read."""

import hashlib
import os
from collections.abc import Hashable, Sequence
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

# A tensor that is kept in another file has an entry of this name.
_ELSEWHERE = b"location"

Model: TypeAlias = str | os.PathLike[str] | bytes | ModelProto | Sequence[ArrayLike]


@dataclass(frozen=True, eq=False)
class Source:
    """The bytes of a model, not yet looked at.

    Parameters
    ----------
    content : bytes
        Hostile until proved otherwise.
    path : Path or None
        Of the file that they are from, beside which it may keep data in others.
    """

    content: bytes
    path: Path | None

    @property
    def identity(self) -> Hashable:
        """What two sources share that are read alike."""
        return self.path, hashlib.sha256(self.content).digest()

    @property
    def is_whole(self) -> bool:
        """Whether no part of the model is in other files, which may change."""
        return _ELSEWHERE not in self.content

    @property
    def name(self) -> str:
        """What a message calls the model."""
        return str(self.path or f"the model of {len(self.content)} bytes")


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
        source = Source(model, None)
        _check_size(source.name, len(model))
        return source
    path = Path(os.fsdecode(model))
    return Source(_content(path), path)


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
    if isinstance(model, ModelProto):
        with translated("the model cannot be serialised"):
            return model, _sha256(model.SerializeToString(deterministic=True))
    if isinstance(model, str | os.PathLike | bytes):
        model = fetch(model)
    if isinstance(model, Source):
        return _parsed(model)
    if isinstance(model, Sequence):
        return from_matrices(model), hash_matrices(model)
    raise UsageError(
        f"a model of type {type(model).__name__} cannot be read: give the path of an "
        "ONNX file or of a file of weights, an onnx.ModelProto, a list of weight "
        "matrices, or a torch.nn.Module with example_input"
    )


def _parsed(source: Source) -> tuple[ModelProto | Network, str]:
    weights = format_of(source.path, source.content)
    if weights is not None:
        with translated(f"{source.name}: no {weights.ending} file of a network"):
            return weights.read(source.content), _sha256(source.content)
    with translated(f"{source.name} is not an ONNX model, or is damaged"):
        parsed = ModelProto.FromString(source.content)
    if source.path is None or not load_external_data(parsed, source.path.parent):
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
