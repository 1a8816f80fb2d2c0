"""The norms of inputs and outputs, one file each, found by listing this folder.

A module here that defines a norm has it as ``NORM``.
"""

import importlib
import pkgutil
from dataclasses import dataclass

from geolip.errors import UsageError
from geolip.norms.euclidean import binary_scales as binary_scales
from geolip.norms.norm import Norm as Norm


def _listed() -> dict[str, Norm]:
    """Return the norms of the modules in this folder, by their names."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    found = [module.NORM for module in modules if hasattr(module, "NORM")]
    return {norm.name: norm for norm in sorted(found, key=lambda norm: norm.name)}


NORMS: dict[str, Norm] = _listed()


@dataclass(frozen=True)
class NormPair:
    """The norm of the inputs and the norm of the outputs of a Lipschitz constant."""

    input: Norm
    output: Norm

    def __str__(self) -> str:
        return f"{self.input.name}:{self.output.name}"

    @property
    def rowwise(self) -> bool:
        """Whether the constant is the largest of those of the single outputs."""
        return self.output.name == "inf"

    @property
    def columnwise(self) -> bool:
        """Whether the constant is the largest of those of the single inputs."""
        return self.input.name == "1"


def parse(norm: object) -> NormPair:
    """Read a norm or a pair of norms as a user writes it.

    Parameters
    ----------
    norm : str, int, float or pair of these
        ``"inf"``, ``numpy.inf``, ``2``, ``"1"``, ``"2:inf"`` or ``("2", "inf")``; the
        first is the input's. A single norm stands for both.

    Returns
    -------
    NormPair
        The pair, input first.

    Raises
    ------
    UsageError
        If a name is unknown; the message lists the known ones.
    """
    parts = norm.split(":") if isinstance(norm, str) else norm
    if not isinstance(parts, list | tuple):
        parts = [parts]
    names = [_name(part) for part in parts]
    if len(names) == 1:
        names = names * 2
    if len(names) != 2 or any(name not in NORMS for name in names):
        known = ", ".join(NORMS)
        raise UsageError(
            f"unknown norm {norm!r}: use one of {known}, or a pair input:output such "
            "as 2:inf"
        )
    return NormPair(NORMS[names[0]], NORMS[names[1]])


def _name(part: object) -> str:
    if isinstance(part, float | int) and not isinstance(part, bool):
        return str(int(part)) if part in (1, 2) else repr(part)
    return str(part).strip().lower().removeprefix("l").removeprefix("_")
