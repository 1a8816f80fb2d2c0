"""The sum of linear maps between the same spaces, as a residual connection makes it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geolip.arrays import Array, Mask
from geolip.linear.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class Sum(LinearOperator):
    """The map ``terms[0] + terms[1] + ...``."""

    terms: tuple[LinearOperator, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return self.terms[0].shape

    def apply(self, X: Array) -> Array:
        total = self.terms[0].apply(X)
        for term in self.terms[1:]:
            total = total + term.apply(X)
        return total

    def adjoint(self, Y: Array) -> Array:
        total = self.terms[0].adjoint(Y)
        for term in self.terms[1:]:
            total = total + term.adjoint(Y)
        return total

    def dense(self) -> Array:
        total = self.terms[0].dense()
        for term in self.terms[1:]:
            total = total + term.dense()
        return total

    def rows_of(self, columns: Mask) -> Mask:
        reached = [term.rows_of(columns) for term in self.terms]
        return np.asarray(np.any(reached, axis=0))

    def columns_of(self, rows: Mask) -> Mask:
        reached = [term.columns_of(rows) for term in self.terms]
        return np.asarray(np.any(reached, axis=0))

    @property
    def roundings(self) -> int:
        return len(self.terms) + max(term.roundings for term in self.terms)

    def entrywise(self, function: Callable[[Array], Array]) -> "Sum":
        return Sum(tuple(term.entrywise(function) for term in self.terms))

    @cached_property
    def magnitude(self) -> tuple[float, float]:
        low, high = zip(*(term.magnitude for term in self.terms), strict=True)
        return min(low), max(high) + float(np.log2(len(self.terms)))

    def describe(self) -> str:
        return " + ".join(term.describe() for term in self.terms)


def add(left: LinearOperator, right: LinearOperator) -> LinearOperator:
    """Return ``left + right`` as one flat sum."""
    terms = [
        term
        for operator in (left, right)
        for term in (operator.terms if isinstance(operator, Sum) else (operator,))
    ]
    return Sum(tuple(terms))
