"""Tools of others that pip can install, each file one, found by listing the folder.

They live in a virtual environment of their own (``make bench-peers``), so that they may
ask for whatever versions they like. A module ``NAME`` here has

``TITLE``
    what the tool is called for people,
``PACKAGE``
    the package that has to be installed there,
``NORM``
    the norm that it is for,
``FORMS``
    the names of what can be asked of it,
``refusal(chain)``
    None, or one line that says why it does not take a fully connected network, and
``answer(task)``
    its answer, see `alone`; this runs there, where geolip is not installed. The file
    ``task["chain"]`` (.npz) holds the matrices ``W1``, ``W2``, .. and the ``slopes``.
"""

import importlib
import pkgutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from published import Chain

_ENVIRONMENT = Path(__file__).parent.parent / ".peers"


class Peer(Protocol):
    """The contract of a module in this folder."""

    TITLE: str
    PACKAGE: str
    NORM: str
    FORMS: tuple[str, ...]

    def refusal(self, chain: "Chain") -> str | None:
        """Return None, or one line that says why the network is not taken."""

    def answer(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return the value, its label, a note and the seconds."""


def names() -> list[str]:
    """Return the names of all peers."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name: str) -> Peer:
    """Return the peer of that name."""
    module: Any = importlib.import_module(f"{__name__}.{name}")
    peer: Peer = module
    return peer


def python() -> str | None:
    """Return the interpreter of the peers' environment, or None without one."""
    path = _ENVIRONMENT / "bin" / "python"
    return str(path) if path.exists() else None


def has(python: str, package: str) -> bool:
    """Return whether an interpreter's environment has a package."""
    code = f"from importlib.metadata import version; version({package!r})"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0
