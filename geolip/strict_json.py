"""JSON that says one thing: canonical when written, checked piece by piece when read.

Files may come from anybody. Size and depth are looked at before anything is parsed;
numbers that are not integers are hexadecimal texts; NaN, duplicate and unknown keys are
refused.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from geolip.arrays import Array
from geolip.errors import RefusedCertificateError, UsageError

LARGEST_FILE = 64 * 2**20
DEEPEST = 6
_LARGEST_INTEGER = 2**53
# Once escapes are gone, quotes alternate between the start and the end of a text.
_TEXT = re.compile('"')
_BRACKET = re.compile(r"[\[\]{}]")
_HEXADECIMAL = re.compile(r"-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}")


def canonical(content: Mapping[str, Any]) -> str:
    """Return the one text that stands for plain data."""
    return (
        json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        + "\n"
    )


def parse(path: Path) -> Any:
    """Return the content of a file as plain data.

    Raises
    ------
    UsageError
        If there is no such file, or it may not be read.
    RefusedCertificateError
        If it is too large or too deep, or not the JSON described above.
    """
    return parse_bytes(_content(path), str(path))


def parse_bytes(content: bytes, name: str) -> Any:
    """Return the content of a file called ``name``; raises as `parse` does."""
    try:
        text = content.decode("utf-8")
        if _depth(text) > DEEPEST:
            _refuse(f"nested more than {DEEPEST} deep")
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=lambda number: _refuse(f"{number[:30]} is not hexadecimal"),
            parse_int=_integer,
            parse_constant=lambda constant: _refuse(f"{constant} is not a number"),
        )
    except (ValueError, RecursionError) as error:
        raise RefusedCertificateError(f"{name} is not valid JSON: {error}") from error


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError(f"{path} is not a file: give the path of a certificate")
    try:
        with path.open("rb") as file:
            # No more than there is: all that is asked for is allocated at once.
            size = os.fstat(file.fileno()).st_size
            content = file.read(min(size, LARGEST_FILE) + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise RefusedCertificateError(
            f"{path} is larger than the {LARGEST_FILE >> 20} MiB of any certificate"
        )
    return content


def _depth(text: str) -> int:
    """Return how deep brackets are nested outside of texts, without recursion."""
    depth = deepest = 0
    for outside in _TEXT.split(text.replace("\\\\", "").replace('\\"', ""))[::2]:
        for bracket in _BRACKET.findall(outside):
            depth += 1 if bracket in "[{" else -1
            deepest = max(deepest, depth)
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _refuse("a key appears twice in one object")
    return found


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) < 20 else _LARGEST_INTEGER + 1
    if abs(number) > _LARGEST_INTEGER:
        _refuse(f"the integer {digits[:30]} is out of range")
    return number


def _refuse(what: str) -> NoReturn:
    raise RefusedCertificateError(what)


class Reader:
    """One object of a file, read key by key; in the end no key may be left.

    Parameters
    ----------
    content : object
        What should be an object.
    name : str
        What messages call it.

    Every method raises RefusedCertificateError where the content is not what it asks
    for.
    """

    def __init__(self, content: object, name: str) -> None:
        if not isinstance(content, dict):
            _refuse(f"{name} is not an object")
        self._left, self._name = dict(content), name

    def _take(self, key: str, kind: type, what: str) -> Any:
        if key not in self._left:
            _refuse(f"{self._name} has no {key!r}")
        value = self._left.pop(key)
        # True is an int in Python.
        if not isinstance(value, kind) or isinstance(value, bool):
            _refuse(f"{self._name}: {key!r} is not {what}")
        return value

    def has(self, key: str) -> bool:
        """Return whether there is such a key."""
        return key in self._left

    def text(self, key: str) -> str:
        """Return a text."""
        return str(self._take(key, str, "a text"))

    def texts(self) -> dict[str, str]:
        """Return all that is left, if it is texts."""
        return {key: self.text(key) for key in list(self._left)}

    def number(self, key: str) -> float:
        """Return a finite number."""
        return _number(self._take(key, str, "a number"))

    def optional_integer(self, key: str) -> int | None:
        """Return an integer that is not negative, or None for null."""
        if key in self._left and self._left[key] is None:
            self._left.pop(key)
            return None
        number = int(self._take(key, int, "an integer"))
        if number < 0:
            _refuse(f"{self._name}: {key!r} is negative")
        return number

    def integers(self, key: str) -> tuple[int, ...]:
        """Return a list of integers that are not negative."""
        values = self._take(key, list, "a list")
        if not all(type(value) is int and value >= 0 for value in values):
            _refuse(f"{self._name}: {key!r} is not a list of sizes")
        return tuple(values)

    def numbers(self, key: str) -> Array:
        """Return a list of finite numbers."""
        return numbers(self._take(key, list, "a list"))

    def number_lists(self, key: str) -> list[Array]:
        """Return a list of lists of finite numbers."""
        return [numbers(part) for part in self._take(key, list, "a list")]

    def lists(self, key: str) -> list[Any]:
        """Return a list."""
        return list(self._take(key, list, "a list"))

    def object(self, key: str) -> "Reader":
        """Return an object."""
        return Reader(self._take(key, dict, "an object"), key)

    def objects(self, key: str) -> list["Reader"]:
        """Return a list of objects."""
        values = self._take(key, list, "a list")
        return [Reader(value, f"{key}[{i}]") for i, value in enumerate(values)]

    def close(self) -> None:
        """Refuse what nobody has read."""
        if self._left:
            _refuse(f"{self._name} has an unknown key {min(self._left)!r}")


def numbers(values: object) -> Array:
    """Return a list of finite numbers, or a single one, as an array.

    Raises
    ------
    RefusedCertificateError
        If it is something else.
    """
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, list):
        _refuse("a list of numbers is something else")
    return np.array([_number(value) for value in values], dtype=float)


def _number(value: object) -> float:
    if not isinstance(value, str) or not _HEXADECIMAL.fullmatch(value):
        _refuse(f"{str(value)[:30]!r} is not a hexadecimal number such as 0x1.8p+1")
    try:
        number = float.fromhex(value)
    except OverflowError:
        number = math.inf
    if number.hex() != value:
        _refuse(f"{value[:30]!r} is not a float64 number")
    return number
