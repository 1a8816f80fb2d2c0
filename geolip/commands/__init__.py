"""The commands of the command line, one file each, found by listing this folder.

A module here has a `click.Command` of its own name. All of them are imported before any
of them runs, so what is slow to import is imported inside the command.
"""

import pkgutil
from importlib import import_module

import click


def commands() -> list[click.Command]:
    """Return the command of every file of the folder."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return [getattr(import_module(f"{__name__}.{name}"), name) for name in names]
