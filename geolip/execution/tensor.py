"""What is known of a tensor: its real values, and how far computed ones are from them.

A tensor is kept as the sum that makes it, so that it does not matter where a runtime
stops adding and stores: a sum of sums is one sum whose terms come in any order. It ends
where an activation or another layer reads it.
"""

from dataclasses import dataclass

import numpy as np

from geolip.arrays import Array
from geolip.execution.arithmetic import gamma, raised


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor over all inputs of the region, as a sum of terms, flattened to (n,).

    Parameters
    ----------
    shape : tuple of int
        Its shape in the graph.
    lower, upper : array (n,)
        Between them lie the real values.
    carried : array (n,)
        The sums' error where no term were rounded again: from the numbers that are
        added up, and from underflow.
    size : array (n,)
        A bound of the sum of the sizes of the terms, as computed.
    depth : int
        How many roundings a term may pass, in any order of summation; at least one less
        than the number of terms.
    largest : float
        A bound of the numbers, weights too, that make up the terms; 0 where the terms
        are stored.
    """

    shape: tuple[int, ...]
    lower: Array
    upper: Array
    carried: Array
    size: Array
    depth: int
    largest: float

    @property
    def error(self) -> Array:
        """A bound, entry by entry, of the computed values' distance from the real."""
        return raised(self.carried + gamma(self.depth) * self.size, 8)

    def settled(self) -> "Tensor":
        """Return the tensor as it is stored, each value one term of what comes."""
        return stored(self.shape, self.lower, self.upper, self.error)


def stored(shape: tuple[int, ...], lower: Array, upper: Array, error: Array) -> Tensor:
    """Return a tensor with the given ranges (n,) and errors (n,), not a sum."""
    size = raised(np.maximum(np.abs(lower), np.abs(upper)) + error, 1)
    return Tensor(shape, lower, upper, error, size, depth=0, largest=0.0)
