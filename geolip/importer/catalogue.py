"""The operators that can be read: all tables of the folder ``ops``."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

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
    found: dict[str, Reader] = {}
    for module in iter_modules(ops.__path__):
        table = import_module(f"{ops.__name__}.{module.name}").OPERATORS
        if twice := found.keys() & table.keys():
            raise RuntimeError(
                f"{module.name}: read elsewhere already: {sorted(twice)}"
            )
        found |= table
    return found
