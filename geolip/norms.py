"""The norms of inputs and outputs, and how each enters the relaxation.

Source: docs/theory.md section 1; the budgets T(tau) are Hoelder's inequality applied to
``sum_j tau_j x_j^2`` on the unit ball.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geolip.arrays import Array, row_norms
from geolip.errors import UsageError


class Norm(ABC):
    """A norm on inputs or outputs; the columns of a matrix are treated separately.

    A subclass is final and stateless. The first group of methods is about plain
    vectors, the second about the multipliers ``tau`` of the relaxation, where a vector
    coordinate is lifted to a row of a matrix.
    """

    name: str

    @abstractmethod
    def of(self, X: Array) -> Array:
        """Return the norm of every column of ``X`` (n, r), shape (r,)."""

    @abstractmethod
    def dual(self, G: Array) -> Array:
        """Return the dual norm of every column of ``G`` (n, r), shape (r,)."""

    @abstractmethod
    def aligned(self, G: Array) -> Array:
        """Return, per column g, a unit vector x of this norm with ``g'x = dual(g)``."""

    @abstractmethod
    def dual_aligned(self, V: Array) -> Array:
        """Return, per column v, an f of dual norm one with ``f'v`` the norm of v."""

    @abstractmethod
    def of_mixing(self, overlap: int) -> float:
        """Return a bound of the norm of a matrix of non-negative entries.

        Its rows add up to one, its columns to ``overlap`` at the most.
        """

    @abstractmethod
    def budget(self, tau: Array) -> float:
        """Return T(tau), the largest ``sum_j tau_j x_j^2`` over the unit ball."""

    @abstractmethod
    def exact_budget(self, tau: Array) -> Fraction:
        """Return T(tau) exactly."""

    @abstractmethod
    def multipliers(self, G: Array) -> Array:
        """Return the stationary ``tau`` (n,) for the lifted gradient ``G`` (n, r)."""

    @abstractmethod
    def lifted_aligned(self, G: Array) -> Array:
        """Return the lifted unit point (n, r) that is aligned with ``G`` (n, r)."""

    @abstractmethod
    def tied(self, size: int) -> Array:
        """Return the matrix (size, m) whose columns span the admissible ``tau``."""


class MaxNorm(Norm):
    """The l_inf norm: every input coordinate may move by one, each has its own tau."""

    name = "inf"

    def of(self, X: Array) -> Array:
        return np.asarray(np.abs(X).max(axis=0, initial=0.0))

    def dual(self, G: Array) -> Array:
        return np.asarray(np.abs(G).sum(axis=0))

    def aligned(self, G: Array) -> Array:
        return np.copysign(1.0, G)

    def dual_aligned(self, V: Array) -> Array:
        F = np.zeros_like(V)
        largest = np.abs(V).argmax(axis=0)
        columns = np.arange(V.shape[1])
        F[largest, columns] = np.where(V[largest, columns] < 0, -1.0, 1.0)
        return F

    def of_mixing(self, overlap: int) -> float:
        del overlap  # no mean is above the largest that it is of
        return 1.0

    def budget(self, tau: Array) -> float:
        return float(tau.sum())

    def exact_budget(self, tau: Array) -> Fraction:
        # In units of the smallest: sums of fractions look for common factors.
        ratios = [t.as_integer_ratio() for t in tau.tolist()]
        unit = max(denominator for _, denominator in ratios)
        return Fraction(sum(n * (unit // d) for n, d in ratios), unit)

    def multipliers(self, G: Array) -> Array:
        return row_norms(G)[:, 0]

    def lifted_aligned(self, G: Array) -> Array:
        length = row_norms(G)
        directions = G / np.where(length > 0, length, 1.0)
        # Written so that NaN counts as zero.
        still = np.nonzero(~(length > 0))[0]
        directions[still] = np.eye(1, G.shape[1])
        return directions

    def tied(self, size: int) -> Array:
        return np.eye(size)


class EuclideanNorm(Norm):
    """The l_2 norm: one tau, shared by all input coordinates."""

    name = "2"

    def of(self, X: Array) -> Array:
        scales = binary_scales(X)
        return np.asarray(scales * np.linalg.norm(X / scales, axis=0))

    def dual(self, G: Array) -> Array:
        return self.of(G)

    def aligned(self, G: Array) -> Array:
        G = G / binary_scales(G)
        length = np.linalg.norm(G, axis=0)
        fallback = np.full_like(G, 1.0 / np.sqrt(G.shape[0]))
        return np.where(length > 0, G / np.where(length > 0, length, 1.0), fallback)

    def dual_aligned(self, V: Array) -> Array:
        return self.aligned(V)

    def of_mixing(self, overlap: int) -> float:
        # By Schur's test; roots are rounded correctly.
        return math.nextafter(math.sqrt(overlap), math.inf) if overlap > 1 else 1.0

    def budget(self, tau: Array) -> float:
        return float(tau.max())

    def exact_budget(self, tau: Array) -> Fraction:
        return Fraction(float(tau.max()))

    def multipliers(self, G: Array) -> Array:
        return np.full(G.shape[0], np.linalg.norm(G))

    def lifted_aligned(self, G: Array) -> Array:
        length = float(np.linalg.norm(G))
        if length > 0:
            return np.asarray(G / length)
        return np.full_like(G, 1.0 / np.sqrt(max(G.size, 1)))

    def tied(self, size: int) -> Array:
        return np.ones((size, 1))


def binary_scales(V: Array) -> Array:
    """Return powers of two (r,) near the columns' largest entries, 1 for zero columns.

    Divided by them, exactly, a column's squares stay in float64's range.
    """
    _, exponents = np.frexp(np.abs(V).max(axis=0, initial=0.0))
    return np.asarray(np.ldexp(1.0, np.clip(exponents, -900, 900)))


NORMS: dict[str, Norm] = {norm.name: norm for norm in (MaxNorm(), EuclideanNorm())}


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


def parse(norm: object) -> NormPair:
    """Read a norm or a pair of norms as a user writes it.

    Parameters
    ----------
    norm : str, int, float or pair of these
        ``"inf"``, ``numpy.inf``, ``2``, ``"2"``, ``"2:inf"`` or ``("2", "inf")``; the
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
    if isinstance(part, float | int):
        return "2" if part == 2 else repr(part)
    return str(part).strip().lower().removeprefix("l").removeprefix("_")
