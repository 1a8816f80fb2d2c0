"""Modules that are found by listing a folder: the file is the registration."""

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from typing import Any

from geolip.errors import UsageError


def names(path: Iterable[str]) -> list[str]:
    """Return the names of a package's modules, but for those that begin with ``_``.

    Parameters
    ----------
    path : iterable of str
        The package's ``__path__``.
    """
    modules = pkgutil.iter_modules(path)
    return sorted(m.name for m in modules if not m.name.startswith("_"))


def module(package: str, name: str, known: Sequence[str], kind: str) -> Any:
    """Return a package's module of a name that somebody asks for.

    Parameters
    ----------
    package : str
        The package's name.
    name : str
        The module's.
    known : sequence of str
        The names that there are.
    kind : str
        What the modules are, for the message.

    Raises
    ------
    UsageError
        If there is none of that name; the message lists all.
    """
    if name not in known:
        raise UsageError(f"unknown {kind} {name!r}: use one of {', '.join(known)}")
    return importlib.import_module(f"{package}.{name}")
