"""Tables of a folder's files put together: among them, the operators that are read."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from geolip.importer import ops
from geolip.importer.operation import Reader


@cache
def readers() -> Mapping[str, Reader]:
    """Return the reader of every supported operator.

    Raises
    ------
    RuntimeError
        If two files of the folder claim the same operator.
    """
    return collected(ops)


def collected(folder: ModuleType) -> dict[str, Any]:
    """Return the tables ``OPERATORS`` of all files of a package as one.

    Raises
    ------
    RuntimeError
        If two files claim the same operator.
    """
    found: dict[str, Any] = {}
    for module in iter_modules(folder.__path__):
        table = import_module(f"{folder.__name__}.{module.name}").OPERATORS
        if twice := found.keys() & table.keys():
            raise RuntimeError(
                f"{module.name}: read elsewhere already: {sorted(twice)}"
            )
        found |= table
    return found
