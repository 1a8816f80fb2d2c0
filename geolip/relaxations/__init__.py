"""Relaxations of a Lipschitz constant, one file each, found by listing this folder.

A module here has

``accepts(norms)``
    whether it bounds this pair of norms, and
``problem(network, norms)``
    the `geolip.problem.Problem` of a network without dead parts (`geolip.presolve`).
"""

from typing import Protocol

from geolip import listing
from geolip.errors import UsageError
from geolip.norms import NormPair
from geolip.problem import Problem
from geolip.sectors import SectorNetwork


class Relaxation(Protocol):
    """The contract of a module in this folder."""

    def accepts(self, norms: NormPair) -> bool:
        """Return whether the relaxation bounds this pair of norms."""

    def problem(self, network: SectorNetwork, norms: NormPair) -> Problem:
        """Return the problem that bounds the network's whole output."""


def names() -> list[str]:
    """Return the names of all relaxations."""
    return listing.names(__path__)


def choose(name: str | None, norms: NormPair) -> tuple[str, Relaxation]:
    """Return the relaxation of that name, or without one the first that accepts.

    Raises
    ------
    UsageError
        If the name is unknown or does not go with the norms.
    """
    known = names()
    for candidate in known if name is None else [name]:
        relaxation: Relaxation = listing.module(__name__, candidate, known, "method")
        if relaxation.accepts(norms):
            return candidate, relaxation
    raise UsageError(f"method {name} does not bound the norm pair {norms}")
