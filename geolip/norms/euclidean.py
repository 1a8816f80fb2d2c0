"""The l_2 norm."""

import math

import numpy as np

from geolip.arrays import Array
from geolip.norms.norm import SharedTau


class EuclideanNorm(SharedTau):
    """The l_2 norm: one tau, shared by all input coordinates, is the best."""

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


def binary_scales(V: Array) -> Array:
    """Return powers of two (r,) near the columns' largest entries, 1 for zero columns.

    Divided by them, exactly, a column's squares stay in float64's range.
    """
    _, exponents = np.frexp(np.abs(V).max(axis=0, initial=0.0))
    return np.asarray(np.ldexp(1.0, np.clip(exponents, -900, 900)))


NORM = EuclideanNorm()
