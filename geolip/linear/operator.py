"""The linear maps on the edges of a network: what each of them can do."""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from geolip.arrays import Array


class LinearOperator(ABC):
    """A real linear map from R^n to R^m that acts on many columns at once.

    Subclasses are final and immutable, one a file. They store the numbers of the model
    as they are; a product of stored numbers is only formed where a matrix is asked for.

    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """The numbers (m, n) of outputs and inputs, outputs first, like a matrix."""

    @abstractmethod
    def apply(self, X: Array) -> Array:
        """Return A X, shape (m, r), for ``X`` of shape (n, r)."""

    @abstractmethod
    def adjoint(self, Y: Array) -> Array:
        """Return A' Y, shape (n, r), for ``Y`` of shape (m, r)."""

    @abstractmethod
    def dense(self) -> Array:
        """Return the matrix (m, n), rounded as `roundings` tells."""

    @abstractmethod
    def absolute(self) -> "LinearOperator":
        """Return a map whose entries bound the absolute entries of this one.

        Equal to them where the map has one factor; for sums and compositions the sum
        and product of the parts' absolute values, which also bounds every partial
        result that rounding can touch.
        """

    @property
    def roundings(self) -> int:
        """How many roundings an entry of `dense` may carry."""
        return 0

    @cached_property
    def row_sums(self) -> Array:
        """The sum of absolute entries of every row, shape (m,)."""
        return np.asarray(np.abs(self.dense()).sum(axis=1))

    @cached_property
    def column_sums(self) -> Array:
        """The sum of absolute entries of every column, shape (n,)."""
        return np.asarray(np.abs(self.dense()).sum(axis=0))

    def describe(self) -> str:
        """Return a few words for people, such as ``dense 10 x 784``."""
        return f"{type(self).__name__.lower()} {self.shape[0]} x {self.shape[1]}"
