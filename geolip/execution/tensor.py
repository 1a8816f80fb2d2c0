"""What is known of a tensor: its real values, and how far computed ones are from them.

A tensor is kept as the sum that makes it, so that it does not matter where a runtime
stops adding and stores: a sum of sums is one sum whose terms come in any order. It ends
where an activation or another layer reads it.
"""

from dataclasses import dataclass

import numpy as np

from geolip.arrays import Array
from geolip.execution.arithmetic import gamma, length, raised
from geolip.execution.values import Values, boxed
from geolip.rigor.rounding import up


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor over all inputs of the region, as a sum of terms, flattened to (n,).

    Parameters
    ----------
    shape : tuple of int
        Its shape in the graph.
    values : Values
        Where its real values lie.
    carried : array (n,)
        The sums' error where no term were rounded again: from the numbers that are
        added up, and from underflow.
    carried_length : float
        A bound of the same error in the l_2 norm.
    size : array (n,)
        A bound of the sum of the sizes of the terms, as computed.
    depth : int
        How many roundings a term may pass, in any order of summation; at least one less
        than the number of terms.
    largest : float
        A bound of the numbers, weights too, that make up the terms; 0 where the terms
        are stored.
    product : float
        A bound, 1 or more, of products of a stored value, a weight and the factors
        that follow, and of any of these alone, in whatever order they are taken.
    """

    shape: tuple[int, ...]
    values: Values
    carried: Array
    carried_length: float
    size: Array
    depth: int
    largest: float
    product: float

    @property
    def error(self) -> Array:
        """A bound, entry by entry, of the computed values' distance from the real."""
        return np.minimum(self._error, self.error_length)

    @property
    def error_length(self) -> float:
        """A bound of the same distance in the l_2 norm."""
        rounding = length(raised(gamma(self.depth) * self.size, 8))
        return min(up(self.carried_length + rounding, 1), length(self._error))

    @property
    def _error(self) -> Array:
        return raised(self.carried + gamma(self.depth) * self.size, 8)

    def settled(self) -> "Tensor":
        """Return the tensor as it is stored, each value one term of what comes."""
        return stored(self.shape, self.values, self.error, self.error_length)


def stored(
    shape: tuple[int, ...], values: Values, error: Array, error_length: float
) -> Tensor:
    """Return a tensor with errors (n,), bounded in l_2 as well, that is not a sum."""
    size = raised(values.reach + error, 1)
    return Tensor(
        shape=shape,
        values=values,
        carried=error,
        carried_length=error_length,
        size=size,
        depth=0,
        largest=0.0,
        product=float(size.max(initial=1.0)),
    )


def exact(shape: tuple[int, ...], lower: Array, upper: Array) -> Tensor:
    """Return a stored tensor of float32 numbers between ``lower`` and ``upper``."""
    return stored(shape, boxed(lower, upper), np.zeros_like(lower), 0.0)
