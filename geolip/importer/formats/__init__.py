"""Formats of weight files, one a file; the folder is listed, nothing is registered."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import PurePath
from pkgutil import iter_modules

from geolip.network import Network


@dataclass(frozen=True)
class Format:
    """A file format in which weights are stored.

    Parameters
    ----------
    ending : str
        What names of such files end in, such as ``.npz``.
    mark : bytes
        What their content begins with.
    read : callable
        Takes the content and returns the network, or raises ``ValueError``.
    """

    ending: str
    mark: bytes
    read: Callable[[bytes], Network]


@cache
def formats() -> tuple[Format, ...]:
    """Return the ``FORMAT`` of every file of the folder."""
    modules = (f"{__name__}.{module.name}" for module in iter_modules(__path__))
    return tuple(import_module(name).FORMAT for name in modules)


def format_of(path: PurePath | None, content: bytes) -> Format | None:
    """Return the format of a file, None if it should be an ONNX model.

    A known ending decides; a file without one is recognised by its first bytes.
    """
    ending = path.suffix.lower() if path else ""
    known = {found.ending: found for found in formats()}
    if ending == ".onnx" or ending in known:
        return known.get(ending)
    marked = [found for found in formats() if content.startswith(found.mark)]
    return marked[0] if marked else None
