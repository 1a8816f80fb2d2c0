"""The l_1 norm.

As a norm of the input it is asked about single coordinates only, the corners of its
unit ball (`geolip.pieces`), of which all norms are the same.
"""

import numpy as np

from geolip.arrays import Array
from geolip.norms.maximum import NORM as MAXIMUM
from geolip.norms.norm import SharedTau


class SumNorm(SharedTau):
    """The l_1 norm: the input moves by one in all coordinates together."""

    name = "1"

    def of(self, X: Array) -> Array:
        return np.asarray(np.abs(X).sum(axis=0))

    def dual(self, G: Array) -> Array:
        return np.asarray(np.abs(G).max(axis=0, initial=0.0))

    def aligned(self, G: Array) -> Array:
        return MAXIMUM.dual_aligned(G)

    def dual_aligned(self, V: Array) -> Array:
        return np.copysign(1.0, V)

    def of_mixing(self, overlap: int) -> float:
        # The largest sum of a column.
        return float(max(overlap, 1))


NORM = SumNorm()
