"""Tensors that a model keeps in other files, read as if anybody had written the model.

A location is a path below the model's folder. Each of its folders and the file itself
are opened by name in the folder before, never through a link, so that nothing can be
exchanged in between; the file must be a regular one of no second name, which might be
that of a private file. What is read lies inside of it, and is the whole tensor.

Source: ONNX, docs/ExternalData.md; CVE-2022-25882, CVE-2024-27318, CVE-2026-27489,
CVE-2026-34445 to 34447.
"""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

from geolip.importer.boundary import translated

# What protobuf can hold, and so the most that a model's files may hold together.
LARGEST = 2**31 - 1

_NUMBER = re.compile("[0-9]{1,18}")
_KEYS = ("location", "offset", "length", "checksum")
# How a link is reported that may not be followed: as the file, or as a folder.
_LINKS = {
    errno.ELOOP: "it is a symbolic link, which is not followed",
    errno.ENOTDIR: "it is no folder, or a symbolic link, which is not followed",
}


def load_external_data(model: ModelProto, folder: Path) -> bool:
    """Put into a model what it keeps in files of a folder.

    Parameters
    ----------
    model : ModelProto
        Is changed.
    folder : Path
        Where the model is from.

    Returns
    -------
    bool
        Whether there was any.

    Raises
    ------
    ModelError
        If a location leads out of the folder or through a link, is no regular file with
        one name, lacks what is to be read, or has another checksum than the model says.
    """
    reader = _Files(folder)
    found = False
    for tensor in tensors_of(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        found = True
        with translated(f"external data of tensor {tensor.name!r}"):
            tensor.raw_data = reader.content(_Place.of(tensor))
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]
    return found


def tensors_of(model: ModelProto) -> Iterator[TensorProto]:
    """Yield every tensor of a model, also those in attributes and subgraphs."""
    yield from _in_graph(model.graph)
    for function in model.functions:
        yield from _in_nodes(function.node)
        yield from _in_attributes(function.attribute_proto)


def _in_graph(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for stored in graph.sparse_initializer:
        yield from (stored.values, stored.indices)
    yield from _in_nodes(graph.node)


def _in_nodes(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    for node in nodes:
        yield from _in_attributes(node.attribute)


def _in_attributes(attributes: Iterable[AttributeProto]) -> Iterator[TensorProto]:
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
        for stored in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (stored.values, stored.indices)
        for graph in (attribute.g, *attribute.graphs):
            yield from _in_graph(graph)


@dataclass(frozen=True)
class _Place:
    """Where a tensor's bytes are; all of the file from the offset on if no length."""

    location: str
    offset: int
    length: int | None
    checksum: str | None

    @classmethod
    def of(cls, tensor: TensorProto) -> "_Place":
        given = {}
        for entry in tensor.external_data:
            # Others mean nothing here, whatever they are called.
            if entry.key not in _KEYS:
                continue
            if entry.key in given:
                raise ValueError(f"{entry.key} is given twice")
            given[entry.key] = entry.value
        length = given.get("length")
        return cls(
            location=given.get("location", ""),
            offset=_number("offset", given.get("offset", "0")),
            length=None if length is None else _number("length", length),
            checksum=given.get("checksum"),
        )


def _number(what: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{what} {text!r} is not a number of bytes")
    return int(text)


class _Files:
    """The files below a folder, and how much of them has been read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._total = 0
        self._checksums: dict[str, str] = {}

    def content(self, place: _Place) -> bytes:
        """Return the bytes of a place.

        Raises
        ------
        ValueError, OSError
            If the place cannot be trusted, or is not there.
        """
        with os.fdopen(self._opened(place.location), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = size - place.offset if place.length is None else place.length
            if not 0 <= length <= size - place.offset:
                raise ValueError(
                    f"{place.location!r} has {size} bytes: the tensor starts at "
                    f"{place.offset} and has {max(length, 0)}"
                )
            self._total += max(length, 0)
            if self._total > LARGEST:
                raise ValueError(
                    f"the tensors of the model have more than {LARGEST} bytes"
                )
            if place.checksum is not None:
                self._check(place, file)
            file.seek(place.offset)
            content = file.read(length)
        if len(content) != length:
            raise ValueError(f"{place.location!r} became shorter while it was read")
        return content

    def _check(self, place: _Place, file: BufferedReader) -> None:
        if place.location not in self._checksums:
            found = hashlib.file_digest(file, "sha1").hexdigest()
            self._checksums[place.location] = found
        found = self._checksums[place.location]
        if found != str(place.checksum).lower():
            raise ValueError(
                f"{place.location!r} has checksum {found}, the model says "
                f"{place.checksum}: it is another file than the model was saved with"
            )

    def _opened(self, location: str) -> int:
        """Return the descriptor of a file that a model may read."""
        path = PurePosixPath(location)
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"the location {location!r} is not one below the model's folder"
            )
        if os.open not in os.supports_dir_fd:
            raise ValueError("is not read on this system: save the model as one file")
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        for depth, name in enumerate(path.parts, 1):
            # Without waiting for whoever writes to a pipe.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            if depth < len(path.parts):
                flags |= os.O_DIRECTORY
            folder = descriptor
            try:
                descriptor = os.open(name, flags, dir_fd=folder)
            except OSError as error:
                reason = _LINKS.get(error.errno or 0, str(error.strerror))
                raise ValueError(f"{location!r}: {name!r}: {reason}") from error
            finally:
                os.close(folder)
        state = os.fstat(descriptor)
        if S_ISREG(state.st_mode) and state.st_nlink == 1:
            return descriptor
        os.close(descriptor)
        raise ValueError(
            f"{location!r} is not a regular file of one name: copy it, so that it is "
            "no link and no device"
        )
