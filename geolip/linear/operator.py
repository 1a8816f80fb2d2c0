"""The linear maps on the edges of a network: what each of them can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property

import numpy as np

from geolip.arrays import Array, Mask, least_size, shortened


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
    def entrywise(self, function: Callable[[Array], Array]) -> "LinearOperator":
        """Return the map with the function applied to every stored number.

        The function keeps shapes and maps zero to zero.
        """

    @property
    @abstractmethod
    def magnitude(self) -> tuple[float, float]:
        """Binary logarithms of what non-zero products of entries lie between."""

    @property
    def roundings(self) -> int:
        """How many roundings an entry of `dense` may carry."""
        return 0

    @cached_property
    def is_short(self) -> bool:
        """Whether `dense` is exact and its entries have at most 24 significant bits."""
        if self.roundings:
            return False
        long = self.entrywise(lambda numbers: (shortened(numbers) != numbers) * 1.0)
        return not long.reading_rows.any()

    @cached_property
    def absolute(self) -> "LinearOperator":
        """A map whose entries bound the absolute entries of this one.

        Equal to them where the map has one factor; for sums and compositions the sum
        and product of the parts' absolute values, which also bounds every partial
        result that rounding can touch.
        """
        return self.entrywise(np.abs)

    @cached_property
    def row_sums(self) -> Array:
        """Upper bounds, up to rounding, of the sums of absolute entries of the rows."""
        return self.absolute.apply(np.ones((self.shape[1], 1)))[:, 0]

    @cached_property
    def column_sums(self) -> Array:
        """Upper bounds, up to rounding, of the same sums of the columns."""
        return self.absolute.adjoint(np.ones((self.shape[0], 1)))[:, 0]

    @cached_property
    def reading_rows(self) -> Mask:
        """Which rows have an entry that is not zero by structure, shape (m,)."""
        return self.rows_of(np.ones(self.shape[1], dtype=bool))

    @cached_property
    def read_columns(self) -> Mask:
        """Which columns have an entry that is not zero by structure, shape (n,)."""
        return self.columns_of(np.ones(self.shape[0], dtype=bool))

    def rows_of(self, columns: Mask) -> Mask:
        """Return which rows have an entry in one of the columns, by structure."""
        counts = self._pattern.apply(columns[:, None].astype(float))
        return np.asarray(counts[:, 0] != 0)

    def columns_of(self, rows: Mask) -> Mask:
        """Return which columns have an entry in one of the rows, by structure."""
        counts = self._pattern.adjoint(rows[:, None].astype(float))
        return np.asarray(counts[:, 0] != 0)

    @cached_property
    def _pattern(self) -> "LinearOperator":
        return self.entrywise(lambda numbers: (numbers != 0).astype(float))

    def describe(self) -> str:
        """Return a few words for people, such as ``dense 10 x 784``."""
        return f"{type(self).__name__.lower()} {self.shape[0]} x {self.shape[1]}"


def magnitude_of(numbers: Array) -> tuple[float, float]:
    """Return the binary logarithms of the least and largest non-zero size."""
    least = least_size(numbers)
    if least == np.inf:
        return 0.0, 0.0
    return float(np.log2(least)), float(np.log2(np.abs(numbers).max()))
