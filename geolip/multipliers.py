"""A dual point of the relaxation: what solvers propose and certificates hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from geolip.arrays import Array, shortened
from geolip.triangles import Triangles


@dataclass(frozen=True, eq=False)
class Multipliers:
    """A dual point of the relaxation.

    Parameters
    ----------
    tau : array (n_0,)
        One for each input coordinate.
    d : tuple of array (n_k,)
        One for each neuron, by blocks 1..K.
    triangles : Triangles
        Inequalities among input coordinates with their weights; usually none.
    """

    tau: Array
    d: tuple[Array, ...]
    triangles: Triangles = field(default_factory=Triangles.none)

    def scaled(self, factor: float) -> "Multipliers":
        """Return all multipliers multiplied by ``factor``, which changes no bound."""
        return Multipliers(
            factor * self.tau,
            tuple(factor * d for d in self.d),
            self.triangles.scaled(factor),
        )

    def scaled_tau(self, factor: float) -> "Multipliers":
        """Return the multipliers with tau multiplied by ``factor``."""
        return replace(self, tau=factor * self.tau)

    def shortened(self) -> "Multipliers":
        """Return the multipliers rounded to 24 significant bits."""
        weights = shortened(self.triangles.weights)
        return Multipliers(
            shortened(self.tau),
            tuple(shortened(d) for d in self.d),
            self.triangles.weighted(weights),
        )

    def scales(self) -> list[Array]:
        """Return powers of two S by blocks that bring the diagonal of S B S near 1."""
        exponents = [np.frexp(part)[1] for part in self]
        return [np.ldexp(1.0, -(exponent // 2)) for exponent in exponents]

    def usable(self, sizes: Sequence[int]) -> bool:
        """Return whether all are positive and finite, and their shapes are right."""
        parts = [np.asarray(part) for part in self]
        # Written so that NaN fails.
        return (
            [part.shape for part in parts] == [(size,) for size in sizes]
            and all(bool(((part > 0) & (part < np.inf)).all()) for part in parts)
            and self.triangles.usable(sizes[0])
        )

    def blend(self, other: "Multipliers", share: float) -> "Multipliers":
        """Return ``(1 - share) self + share other``."""
        pairs = zip(self.d, other.d, strict=True)
        return Multipliers(
            (1 - share) * self.tau + share * other.tau,
            tuple((1 - share) * mine + share * theirs for mine, theirs in pairs),
            self.triangles.scaled(1 - share).joined(other.triangles.scaled(share)),
        )

    def __iter__(self) -> Iterator[Array]:
        yield self.tau
        yield from self.d
