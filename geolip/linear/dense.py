"""A matrix, possibly applied along one axis of a tensor."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from geolip.arrays import Array
from geolip.linear.operator import LinearOperator, magnitude_of


@dataclass(frozen=True, eq=False)
class Dense(LinearOperator):
    """The map ``I_outer (x) matrix (x) I_inner`` on a flattened tensor.

    With ``outer = inner = 1`` it is the matrix itself. Otherwise the matrix acts along
    one axis of a tensor (outer, n, inner), as MatMul with a constant does.

    Parameters
    ----------
    matrix : array (m, n)
        Finite float64 entries.
    outer, inner : int
        The number of coordinates before and after the axis.
    rounded : int
        How many roundings each entry carries already, as of `Sparse`.
    """

    matrix: Array
    outer: int = 1
    inner: int = 1
    rounded: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        m, n = self.matrix.shape
        copies = self.outer * self.inner
        return copies * m, copies * n

    @property
    def is_plain(self) -> bool:
        """Whether the map is the matrix itself."""
        return self.outer == self.inner == 1

    def apply(self, X: Array) -> Array:
        return self._along(self.matrix, X)

    def adjoint(self, Y: Array) -> Array:
        return self._along(self.matrix.T, Y)

    def _along(self, matrix: Array, X: Array) -> Array:
        if self.is_plain:
            return np.asarray(matrix @ X)
        columns = X.shape[1]
        tensor = X.reshape(self.outer, matrix.shape[1], self.inner * columns)
        size = self.outer * matrix.shape[0] * self.inner
        return np.asarray(matrix @ tensor).reshape(size, columns)

    def dense(self) -> Array:
        if self.is_plain:
            return self.matrix
        inner = np.kron(self.matrix, np.eye(self.inner))
        return np.asarray(np.kron(np.eye(self.outer), inner))

    def entrywise(self, function: Callable[[Array], Array]) -> "Dense":
        return replace(self, matrix=function(self.matrix))

    @cached_property
    def magnitude(self) -> tuple[float, float]:
        return magnitude_of(self.matrix)

    @property
    def roundings(self) -> int:
        return self.rounded

    def describe(self) -> str:
        m, n = self.matrix.shape
        copies = self.outer * self.inner
        return f"dense {m} x {n}" + (f" ({copies} copies)" if copies > 1 else "")
