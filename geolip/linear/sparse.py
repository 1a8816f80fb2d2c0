"""A sparse matrix: selections, permutations, scalings, padding, pooling averages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geolip.arrays import Array
from geolip.linear.operator import LinearOperator, magnitude_of


@dataclass(frozen=True, eq=False)
class Sparse(LinearOperator):
    """The map of a matrix that is stored by its non-zero entries.

    Parameters
    ----------
    matrix : scipy CSR array (m, n)
        Finite float64 entries, no duplicates.
    rounded : int
        How many roundings each entry carries already, compared with the model's real
        number; 0 for numbers that the model stores.
    """

    matrix: sparse.csr_array
    rounded: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        m, n = self.matrix.shape
        return m, n

    def apply(self, X: Array) -> Array:
        return np.asarray(self.matrix @ X)

    def adjoint(self, Y: Array) -> Array:
        return np.asarray(self._adjoint @ Y)

    @cached_property
    def _adjoint(self) -> sparse.csr_array:
        return sparse.csr_array(self.matrix.T)

    def dense(self) -> Array:
        return np.asarray(self.matrix.toarray())

    def entrywise(self, function: Callable[[Array], Array]) -> "Sparse":
        entries = function(self.matrix.data)
        parts = (entries, self.matrix.indices, self.matrix.indptr)
        return Sparse(sparse.csr_array(parts, shape=self.shape), self.rounded)

    @cached_property
    def magnitude(self) -> tuple[float, float]:
        return magnitude_of(self.matrix.data)

    @property
    def roundings(self) -> int:
        return self.rounded

    def transpose(self) -> "Sparse":
        """Return the transposed matrix as an operator."""
        return Sparse(self._adjoint, self.rounded)

    @cached_property
    def most_a_row(self) -> int:
        """The largest number of entries of a row."""
        return int(np.diff(self.matrix.indptr).max(initial=0))

    @cached_property
    def is_selection(self) -> bool:
        """Whether each row and each column has at most one entry, and it is one.

        Products with such a matrix only move numbers, so they are exact.
        """
        matrix = self.matrix
        columns = np.bincount(matrix.indices, minlength=1)
        ones = bool((matrix.data == 1.0).all())
        single = self.most_a_row <= 1 and int(columns.max()) <= 1
        # Ones that are rounded results are not the model's ones.
        return ones and single and self.rounded == 0

    @cached_property
    def is_identity(self) -> bool:
        """Whether the matrix is the identity."""
        m, n = self.shape
        matrix = self.matrix
        return (
            m == n == matrix.nnz
            and self.is_selection
            and bool((matrix.indices == np.arange(n)).all())
        )


def selection(index: Sequence[int] | NDArray[np.integer], size: int) -> Sparse:
    """Return the map that takes coordinate ``index[i]`` of ``size`` to place i.

    An index of -1 leaves a zero in its place, as padding does.
    """
    index = np.asarray(index, dtype=np.int64).ravel()
    rows = np.flatnonzero(index >= 0)
    entries = (np.ones(len(rows)), (rows, index[rows]))
    return Sparse(sparse.csr_array(entries, shape=(len(index), size)))


def identity(size: int) -> Sparse:
    """Return the identity on ``size`` coordinates."""
    return selection(np.arange(size), size)


def scaling(factors: Array, rounded: int = 0) -> Sparse:
    """Return the diagonal map that multiplies coordinate i by ``factors[i]``.

    ``rounded`` tells how many roundings the factors carry.
    """
    diagonal = sparse.diags_array(np.asarray(factors, float).ravel(), format="csr")
    return Sparse(sparse.csr_array(diagonal), rounded)
