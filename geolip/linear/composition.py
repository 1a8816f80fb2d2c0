"""One linear map after another, without multiplying their numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from geolip.arrays import Array, Mask
from geolip.linear.dense import Dense
from geolip.linear.operator import LinearOperator
from geolip.linear.sparse import Sparse


@dataclass(frozen=True, eq=False)
class Composition(LinearOperator):
    """The map ``factors[0] factors[1] ... factors[-1]``, the last one applied first."""

    factors: tuple[LinearOperator, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return self.factors[0].shape[0], self.factors[-1].shape[1]

    def apply(self, X: Array) -> Array:
        for factor in reversed(self.factors):
            X = factor.apply(X)
        return X

    def adjoint(self, Y: Array) -> Array:
        for factor in self.factors:
            Y = factor.adjoint(Y)
        return Y

    def dense(self) -> Array:
        return self._product

    @cached_property
    def _product(self) -> Array:
        *outer, last = self.factors
        if isinstance(last, Sparse) and outer:
            product = np.asarray((last.matrix.T @ outer.pop().dense().T).T)
        else:
            product = last.dense()
        for factor in reversed(outer):
            product = factor.apply(product)
        return product

    def rows_of(self, columns: Mask) -> Mask:
        # Counting paths through all factors would overflow.
        for factor in reversed(self.factors):
            columns = factor.rows_of(columns)
        return columns

    def columns_of(self, rows: Mask) -> Mask:
        for factor in self.factors:
            rows = factor.columns_of(rows)
        return rows

    @property
    def roundings(self) -> int:
        inner = [factor.shape[0] + factor.roundings for factor in self.factors[1:]]
        return self.factors[0].roundings + sum(inner)

    def entrywise(self, function: Callable[[Array], Array]) -> "Composition":
        return Composition(tuple(f.entrywise(function) for f in self.factors))

    @cached_property
    def magnitude(self) -> tuple[float, float]:
        # Of all stretches of factors: what underflows on the way is lost.
        low, high = least, largest = self.factors[-1].magnitude
        for factor in reversed(self.factors[:-1]):
            own = factor.magnitude
            terms = float(np.log2(factor.shape[1] + 1))
            least = own[0] + min(least, 0.0)
            largest = max(own[1] + largest + terms, own[1])
            low, high = min(low, least), max(high, largest)
        return low, high

    def describe(self) -> str:
        words = [f.describe() for f in self.factors if not isinstance(f, Sparse)]
        return " after ".join(words) if words else super().describe()


def compose(outer: LinearOperator, inner: LinearOperator) -> LinearOperator:
    """Return ``outer inner``, simplified wherever that costs no rounding.

    Selections are absorbed by their neighbours, identities disappear; two factors with
    numbers of their own stay apart.
    """
    factors = [*_factors(outer), *_factors(inner)]
    merged: list[LinearOperator] = []
    for factor in factors:
        if merged and (product := _exact_product(merged[-1], factor)) is not None:
            merged[-1] = product
        else:
            merged.append(factor)
    return merged[0] if len(merged) == 1 else Composition(tuple(merged))


def _factors(operator: LinearOperator) -> tuple[LinearOperator, ...]:
    return operator.factors if isinstance(operator, Composition) else (operator,)


def _exact_product(
    left: LinearOperator, right: LinearOperator
) -> LinearOperator | None:
    if isinstance(left, Sparse) and left.is_identity:
        return right
    if isinstance(right, Sparse) and right.is_identity:
        return left
    match left, right:
        case Sparse(), Sparse() if left.is_selection or right.is_selection:
            rounded = left.rounded + right.rounded
            return Sparse((left.matrix @ right.matrix).tocsr(), rounded)
        case Sparse(), Dense(outer=1, inner=1) if left.is_selection:
            return replace(right, matrix=np.asarray(left.matrix @ right.matrix))
        case Dense(outer=1, inner=1), Sparse() if right.is_selection:
            moved = (right.matrix.T @ left.matrix.T).T
            return replace(left, matrix=np.ascontiguousarray(moved))
    return None
