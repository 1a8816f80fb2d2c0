"""What a norm can do, for vectors and for the relaxation.

Source: docs/theory.md section 3; the budgets T(tau) are Hoelder's inequality applied to
``sum_j tau_j x_j^2`` on the unit ball.
"""

from abc import ABC, abstractmethod
from fractions import Fraction

import numpy as np

from geolip.arrays import Array


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


class SharedTau(Norm):
    """A norm whose unit ball is inside that of l_2: T is the largest tau."""

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
