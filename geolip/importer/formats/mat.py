"""MATLAB files of weight matrices, as LipSDP and its successors store them.

Read here rather than by SciPy, whose reader of cells within cells runs out of stack,
and the process with it, on files made for that.

Source: MathWorks, "MAT-File Format", version 5: elements of a tag and data; a matrix is
an element of elements: flags, dimensions, name, and numbers or cells.
"""

import struct
import zlib
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolip.importer import expansion
from geolip.importer.formats import Format
from geolip.importer.matrices import relu_network
from geolip.importer.naming import network_of
from geolip.network import Network

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL = 1
_COMPLEX = 0x800
# The classes of matrices that are read, and how their numbers may be stored: MATLAB
# keeps those that happen to be small integers as such.
_CLASSES: dict[int, np.dtype[Any]] = {6: np.dtype("<f8"), 7: np.dtype("<f4")}
_NUMBERS = {
    code: np.dtype(kind)
    for code, kind in enumerate(
        ("i1", "u1", "<i2", "<u2", "<i4", "<u4", "<f4", None, "<f8"), 1
    )
    if kind
}


def read(content: bytes) -> Network:
    """Return the ReLU network of a file.

    It holds a cell array ``weights`` of matrices (out, in) and, if there are any, a
    cell array ``biases``; or numbered variables, for whose names see `network_of`.
    """
    _check_header(content[:_HEADER])
    pairs = [_variable(element) for element in _elements(content[_HEADER:])]
    variables = dict(pairs)
    if len(variables) < len(pairs):
        raise ValueError("it holds two variables of one name")
    cells = variables.keys() & {"weights", "biases"}
    if "weights" in cells and cells == variables.keys():
        weights, biases = variables["weights"], variables.get("biases", [])
        if isinstance(weights, list) and isinstance(biases, list):
            if biases and len(biases) != len(weights):
                raise ValueError(f"{len(weights)} weights, but {len(biases)} biases")
            return relu_network(weights, biases)
    arrays = {k: v for k, v in variables.items() if not isinstance(v, list)}
    if strange := sorted(variables.keys() - arrays.keys()):
        raise ValueError(
            f"it holds the cell arrays {strange}: expected weights and biases"
        )
    return network_of(arrays)


def _check_header(header: bytes) -> None:
    if header.startswith(b"MATLAB 7.3"):
        raise ValueError("it is of version 7.3: save it again with the option -v7")
    if header[124:] != b"\x00\x01IM":
        raise ValueError("it is no little-endian MATLAB file of version 5, 6 or 7")


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the content of one element after the other."""
    place = 0
    while place < len(data):
        if len(data) - place < 8:
            raise ValueError("it ends within a tag")
        kind, size = struct.unpack_from("<II", data, place)
        start, after = place + 8, place + 8 + size
        if kind != _COMPRESSED:
            after += -size % 8
        if kind >> 16:  # the content is in the tag
            kind, size = kind & 0xFFFF, kind >> 16
            start, after = place + 4, place + 8
        if start + size > min(after, len(data)):
            raise ValueError("it ends within an element")
        yield kind, data[start : start + size]
        place = after


def _variable(element: tuple[int, bytes]) -> tuple[str, Any]:
    """Return the name and the content of a variable: an array, or a list of them."""
    kind, data = element
    if kind == _COMPRESSED:
        expander = zlib.decompressobj()
        expanded = expander.decompress(data, expansion.largest(len(data)) + 1)
        expansion.check(len(expanded), len(data))
        if not expander.eof:
            raise ValueError("it ends within a compressed element")
        ((kind, data),) = _elements(expanded)
    name, code, shape, parts = _matrix(kind, data)
    if code != _CELL:
        return name, _array(code, shape, parts)
    if len(parts) != prod(shape):
        raise ValueError(f"{name!r} has {len(parts)} cells: expected {prod(shape)}")
    return name, [_array(*_matrix(*part)[1:]) for part in parts]


def _matrix(
    kind: int, data: bytes
) -> tuple[str, int, tuple[int, ...], list[tuple[int, bytes]]]:
    """Return the name, class, shape and other elements of a matrix."""
    if kind != _MATRIX:
        raise ValueError(f"it holds an element of type {kind}: expected a matrix")
    (_, flags), (_, dimensions), (_, name), *parts = _elements(data)
    (flag,) = struct.unpack_from("<I", flags)
    if flag & _COMPLEX:
        raise ValueError("it holds complex numbers")
    shape = tuple(np.frombuffer(dimensions, "<i4").tolist())
    if len(shape) != 2 or min(shape) < 0:
        raise ValueError(f"it holds an array of shape {shape}: expected a matrix")
    return name.decode("ascii"), flag & 0xFF, shape, parts


def _array(
    code: int, shape: tuple[int, ...], parts: list[tuple[int, bytes]]
) -> NDArray[Any]:
    """Return a matrix of real numbers, which is stored by columns."""
    if code not in _CLASSES:
        raise ValueError("it holds something else than matrices of doubles or singles")
    ((kind, numbers),) = parts
    if kind not in _NUMBERS:
        raise ValueError(f"it holds numbers of type {kind}")
    stored = np.frombuffer(numbers, _NUMBERS[kind])
    held = stored.astype(_CLASSES[code])
    if not np.array_equal(held, stored, equal_nan=True):
        raise ValueError("it holds numbers that their class rounds")
    return held.reshape(shape, order="F")


FORMAT = Format(".mat", b"MATLAB ", read)
