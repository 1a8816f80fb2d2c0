"""The network of differences: every activation replaced by the sector of its slopes.

For two inputs, all quantities are written as differences, so that biases cancel. What
is left is linear but for the neurons, ``y_i = s_i z_i`` with a free slope s_i in [a_i,
b_i]. All certified bounds are about this network; the largest norm of its Jacobian over
all slopes is the formal global Lipschitz constant (FGL).

Source: docs/theory.md section 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array, Mask
from geolip.linear import LinearOperator, restrict


class Gradients(dict[int, Array]):
    """What has been added to the gradient (n_j, r) of every block j, zero at first."""

    def __init__(self, sizes: Sequence[int], columns: int) -> None:
        self._sizes, self._columns = sizes, columns

    def __missing__(self, j: int) -> Array:
        return np.zeros((self._sizes[j], self._columns))

    def add(self, j: int, part: Array) -> None:
        """Add to block j's gradient; the first part costs nothing."""
        self[j] = self[j] + part if j in self else part


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear function of the blocks before it: ``sum_j A_j y_j``.

    Parameters
    ----------
    size : int
        The number of coordinates of the value.
    terms : mapping of int to LinearOperator
        The operator A_j for every block j that is read; none means zero.
    """

    size: int
    terms: Mapping[int, LinearOperator]

    def apply(self, values: Sequence[Array]) -> Array:
        """Return the value (size, r) for blocks ``values[j]`` of shape (n_j, r)."""
        parts = [operator.apply(values[j]) for j, operator in self.terms.items()]
        if not parts:
            return np.zeros((self.size, values[0].shape[1]))
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def add_adjoint(self, Y: Array, gradients: Gradients) -> None:
        """Add A_j' Y to ``gradients[j]`` for every block j, for ``Y`` (size, r)."""
        for j, operator in self.terms.items():
            gradients.add(j, operator.adjoint(Y))

    @property
    def roundings(self) -> int:
        """How many roundings an entry of any of the operators' matrices may carry."""
        return max((A.roundings for A in self.terms.values()), default=0)

    @cached_property
    def growth(self) -> float:
        """A bound of what some factors of an operator may make of one, at least 1.

        What underflows in one factor is multiplied by the others.
        """
        highest = max((A.magnitude[1] for A in self.terms.values()), default=0.0)
        return float(2.0 ** min(max(highest, 0.0), 1000.0))

    @cached_property
    def absolute(self) -> "LinearMap":
        """The map with every operator replaced by its entrywise bound."""
        terms = {j: operator.absolute for j, operator in self.terms.items()}
        return LinearMap(self.size, terms)

    def restrict(self, rows: Mask, kept: Sequence[Mask]) -> "LinearMap":
        """Return the map between what is kept of the value and of every block.

        The latest is kept in mind: problems of all outputs are made of the same ones.
        """
        asked = (rows.tobytes(), *(kept[j].tobytes() for j in self.terms))
        if asked not in self._restrictions:
            terms = {
                j: restrict(operator, rows, kept[j])
                for j, operator in self.terms.items()
                if kept[j].any()
            }
            self._restrictions.clear()
            self._restrictions[asked] = LinearMap(int(rows.sum()), terms)
        return self._restrictions[asked]

    @cached_property
    def _restrictions(self) -> dict[tuple[bytes, ...], "LinearMap"]:
        return {}


@dataclass(frozen=True, eq=False)
class Mixture:
    """That each neuron's difference is a mean of some differences, who knows which.

    The largest of several numbers moves by a weighted mean of what they move by.

    Parameters
    ----------
    source : LinearMap
        What gives the differences that are averaged, with weights that add up to one.
    overlap : int
        In how many neurons' means a coordinate of the source is at the most.
    windows : array of int (n, w)
        Which coordinates of the source each neuron's mean is of, -1 for none.
    """

    source: LinearMap
    overlap: int
    windows: NDArray[np.int64]

    def largest(self, R: Array) -> Array:
        """Return the largest entry of every window, for columns ``R`` >= 0 (m, r)."""
        padded = np.concatenate([R, np.zeros((1, R.shape[1]))])
        largest = np.zeros((len(self.windows), R.shape[1]))
        for members in self.windows.T:
            largest = np.maximum(largest, padded[members])
        return largest


@dataclass(frozen=True, eq=False)
class SectorBlock:
    """One layer of neurons of which only the sectors [lower_i, upper_i] are known.

    Of linear neurons, a ``mixture`` may be known beside the pre-activation.
    """

    preactivation: LinearMap
    lower: Array
    upper: Array
    mixture: Mixture | None = None

    @property
    def size(self) -> int:
        """The number of neurons."""
        return self.preactivation.size


@dataclass(frozen=True, eq=False)
class SectorNetwork:
    """The differences of a network, blocks numbered as in `Network`.

    Parameters
    ----------
    input_size : int
        The number of input coordinates, block 0.
    blocks : tuple of SectorBlock
        Blocks 1..K, each after all that it reads.
    output : LinearMap
        The output difference as a function of the blocks.
    """

    input_size: int
    blocks: tuple[SectorBlock, ...]
    output: LinearMap

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of coordinates of blocks 0..K."""
        return (self.input_size, *(block.size for block in self.blocks))

    @property
    def readings(self) -> tuple[LinearMap, ...]:
        """What blocks 1..K read, then what the output reads."""
        return (*(block.preactivation for block in self.blocks), self.output)

    @property
    def is_chain(self) -> bool:
        """Whether every block, and the output, reads the one before it alone."""
        return all(set(r.terms) == {k} for k, r in enumerate(self.readings))

    @property
    def has_mixtures(self) -> bool:
        """Whether a mixture is known of any block."""
        return any(block.mixture is not None for block in self.blocks)

    def rows(self, kept: Mask) -> "SectorNetwork":
        """Return the network with the kept outputs alone."""
        every = [np.ones(size, dtype=bool) for size in self.sizes]
        output = self.output.restrict(kept, every)
        return SectorNetwork(self.input_size, self.blocks, output)

    def jacobian(self, slopes: Sequence[Array], X: Array) -> Array:
        """Return J X (m, r) for input directions ``X`` (n, r).

        ``slopes[k-1]`` (n_k, r) or (n_k, 1) are block k's, one column for each
        direction.
        """
        values = [X]
        for block, s in zip(self.blocks, slopes, strict=True):
            values.append(s * block.preactivation.apply(values))
        return self.output.apply(values)

    def adjoint_jacobian(self, slopes: Sequence[Array], F: Array) -> Array:
        """Return J' F (n, r) for output functionals ``F`` (m, r), slopes as above."""
        gradients = Gradients(self.sizes, F.shape[1])
        self.output.add_adjoint(F, gradients)
        for k in range(len(self.blocks), 0, -1):
            block = self.blocks[k - 1]
            block.preactivation.add_adjoint(slopes[k - 1] * gradients[k], gradients)
        return gradients[0]
