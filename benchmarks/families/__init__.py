"""Families of networks to compare methods on, one file each, found by listing.

A module here has

``TITLE``
    what the family is called for people,
``ABOUT``
    one sentence on what its networks are and what is known of them,
``NORMS``
    the norms, or pairs, that it is asked about,
``GROWS``
    what grows from one member to the next, such as ``"width"``, or ``""``; a tool that
    fails on one member is not tried on larger ones, and exponents are fitted,
``METHODS``
    the names of the only methods that are asked, whose values are then told over that
    of the first, or ``()`` for all that there are, and
``members(full)``
    its networks, the smallest first; more and larger ones if ``full``.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Member:
    """One network of a family.

    Parameters
    ----------
    name : str
        Unique in its family.
    model : ModelProto or Path
        The network, or its file.
    size : float
        What grows in the family, or tells its members apart; 0 where nothing does.
        Several members of a size are several draws.
    exact : mapping of str to float
        By norm, the true Lipschitz constant where it is known in closed form, up to
        the rounding of a few float64 operations.
    """

    name: str
    model: ModelProto | Path
    size: float = 0.0
    exact: Mapping[str, float] = field(default_factory=dict)


class Family(Protocol):
    """The contract of a module in this folder."""

    TITLE: str
    ABOUT: str
    NORMS: tuple[str, ...]
    GROWS: str
    METHODS: tuple[str, ...]

    def members(self, full: bool) -> list[Member]:
        """Return the networks, the smallest first."""


def names() -> list[str]:
    """Return the names of all families."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name: str) -> Family:
    """Return the family of that name."""
    module: Any = importlib.import_module(f"{__name__}.{name}")
    family: Family = module
    return family


class Folder:
    """The family of the ONNX files in a folder."""

    NORMS: tuple[str, ...] = ("inf", "2")
    GROWS = ""
    METHODS: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self.TITLE = path.name
        self.ABOUT = f"The ONNX files in {path.name}/."

    def members(self, full: bool) -> list[Member]:
        """Return all files, by name."""
        del full
        return [Member(path.stem, path) for path in sorted(self._path.glob("*.onnx"))]


def gaussian(random: np.random.Generator, sizes: list[int]) -> list[Matrix]:
    """Return independent Gaussian matrices (out, in) of variance 2 / in.

    With this variance, He's, values neither explode nor die out with depth.
    """
    shapes = zip(sizes[1:], sizes[:-1], strict=True)
    return [random.standard_normal((m, n)) * np.sqrt(2 / n) for m, n in shapes]


def as_initialised(
    random: np.random.Generator, sizes: list[int]
) -> tuple[list[Matrix], list[Matrix]]:
    """Return weights and biases as ``torch.nn.Linear`` draws them.

    All are uniform between -1/sqrt(in) and 1/sqrt(in).
    """
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    weights = [random.uniform(-1, 1, (m, n)) / np.sqrt(n) for m, n in shapes]
    biases = [random.uniform(-1, 1, m) / np.sqrt(n) for m, n in shapes]
    return weights, biases
