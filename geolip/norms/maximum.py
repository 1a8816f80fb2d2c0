"""The l_inf norm."""

from fractions import Fraction

import numpy as np

from geolip.arrays import Array, row_norms
from geolip.norms.norm import Norm


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


NORM = MaxNorm()
