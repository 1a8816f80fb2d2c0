"""Triangle inequalities among input coordinates: what signs obey and vectors need not.

For signs b, three numbers from [-1, 1] satisfy

    -(b_1 b_2 x_1 x_2 + b_1 b_3 x_1 x_3 + b_2 b_3 x_2 x_3) <= 1

while three unit vectors at 120 degrees reach 3/2 on the left. Each such inequality,
with a weight w > 0, adds the off-diagonal part of -w b b' to the input's block of
B(tau, D) and 2 w to the budget T.

Source: docs/theory.md section 3 (c); the triangle inequalities of the cut polytope as
cutting planes of semidefinite programs: Helmberg and Rendl (Math. Programming 82,
1998).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geolip.arrays import Array, Mask

Places = NDArray[np.int64]

_PAIRS = ((0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, eq=False)
class Triangles:
    """Weighted triangle inequalities; without any, nothing changes.

    Parameters
    ----------
    size : int
        The number of input coordinates, n.
    corners : array of int (k, 3)
        Three different input coordinates each.
    signs : array (k, 3)
        Their signs b, each 1 or -1.
    weights : array (k,)
        w.
    """

    size: int
    corners: Places
    signs: Array
    weights: Array

    @classmethod
    def none(cls, size: int = 0) -> "Triangles":
        """Return no triangles."""
        corners = np.zeros((0, 3), dtype=np.int64)
        return cls(size, corners, np.zeros((0, 3)), np.zeros(0))

    def __len__(self) -> int:
        return len(self.weights)

    def scaled(self, factor: float) -> "Triangles":
        """Return the triangles with weights multiplied by ``factor``."""
        return self.weighted(factor * self.weights)

    def weighted(self, weights: Array) -> "Triangles":
        """Return the triangles with other weights."""
        same = replace(self, weights=weights)
        if "_readings" in self.__dict__:
            # Without weights, and longer in the making than a product with them takes.
            same.__dict__["_readings"] = self._readings
        return same

    def chosen(self, which: Mask) -> "Triangles":
        """Return those that a mask (k,) chooses."""
        return Triangles(
            self.size, self.corners[which], self.signs[which], self.weights[which]
        )

    def joined(self, other: "Triangles") -> "Triangles":
        """Return these triangles followed by others of as many coordinates."""
        if not self or not other:
            return self or other
        return Triangles(
            self.size,
            np.concatenate([self.corners, other.corners]),
            np.concatenate([self.signs, other.signs]),
            np.concatenate([self.weights, other.weights]),
        )

    def moved(self, places: Places, size: int) -> "Triangles":
        """Return the triangles with ``places[j]``, of ``size``, for coordinate j."""
        return Triangles(size, places[self.corners], self.signs, self.weights)

    def usable(self, size: int) -> bool:
        """Return whether they are triangle inequalities of ``size`` coordinates.

        Weights must be positive and finite. None are always usable.
        """
        count, corners = len(self.weights), self.corners
        if not count:
            return True
        if corners.shape != (count, 3) or self.signs.shape != (count, 3):
            return False
        # Written so that NaN fails.
        return bool(
            self.size == size
            and ((corners >= 0) & (corners < size)).all()
            and all((corners[:, a] != corners[:, b]).all() for a, b in _PAIRS)
            and (np.abs(self.signs) == 1).all()
            and ((self.weights > 0) & (self.weights < np.inf)).all()
        )

    def budget(self) -> float:
        """Return about what they add to T, ``2 sum(w)``."""
        return 2.0 * float(self.weights.sum())

    def exact_budget(self) -> Fraction:
        """Return ``2 sum(w)`` exactly."""
        return 2 * sum(map(Fraction, self.weights.tolist()), Fraction())

    @property
    def overlap(self) -> int:
        """How many of them share a pair of coordinates, at the most."""
        _, counts = np.unique(self._pairs, return_counts=True)
        return int(counts.max(initial=0))

    def matrix(self) -> Array:
        """Return what they add to the input's block of B, of shape (n, n).

        An entry is a sum of up to `overlap` weights.
        """
        return self._summed(self._entries)

    def absolute(self) -> Array:
        """Return a bound of the absolute entries of `matrix` and all partial sums."""
        return self._summed(np.abs(self._entries))

    def layers(self) -> Iterator[Array]:
        """Yield matrices (n, n) that add up to `matrix`, whose entries are no sums."""
        pairs, entries = self._pairs.ravel(), self._entries.ravel()
        order = np.argsort(pairs, kind="stable")
        # The first of each pair is in the first layer, and so on.
        layer = np.arange(len(order)) - np.searchsorted(pairs[order], pairs[order])
        for number in range(self.overlap):
            chosen = order[layer == number]
            half = np.zeros((self.size, self.size))
            half.flat[pairs[chosen]] = entries[chosen]
            yield half + half.T

    def pull(self, X: Array) -> Array:
        """Return ``sum w b b'X`` for lifted coordinates X (n, r)."""
        rows, columns = self._readings
        return np.asarray(columns @ (self.weights[:, None] * (rows @ X)))

    def loads(self) -> Array:
        """Return for each coordinate the sum of its triangles' weights, (n,)."""
        weights = np.repeat(self.weights, 3)
        loads = np.bincount(self.corners.ravel(), weights, minlength=self.size)
        return np.asarray(loads, dtype=float)

    def violations(self, X: Array) -> Array:
        """Return by how much the rows of X (n, r), unit vectors, violate each, (k,)."""
        reading = self._readings[0] @ X
        return np.asarray((1.0 - np.einsum("ij,ij->i", reading, reading)) / 2.0)

    @property
    def _entries(self) -> Array:
        """The entries of -w b b' for the pairs of corners, (k, 3)."""
        products = [self.signs[:, a] * self.signs[:, b] for a, b in _PAIRS]
        return -self.weights[:, None] * np.stack(products, axis=1)

    @property
    def _pairs(self) -> Places:
        """The pairs of corners as places in a flat matrix (n, n), (k, 3)."""
        ends = [np.sort(self.corners[:, list(pair)]) for pair in _PAIRS]
        return np.stack([end[:, 0] * self.size + end[:, 1] for end in ends], axis=1)

    def _summed(self, entries: Array) -> Array:
        half = np.zeros((self.size, self.size))
        np.add.at(half.reshape(-1), self._pairs, entries)
        return half + half.T

    @cached_property
    def _readings(self) -> tuple[Any, Any]:
        """The sparse matrix (k, n) whose rows are b, and its transpose."""
        starts = np.arange(0, self.corners.size + 1, 3)
        content = self.signs.ravel(), self.corners.ravel(), starts
        rows = sparse.csr_matrix(content, shape=(len(self), self.size))
        return rows, rows.T.tocsr()
