"""A part of all slope patterns: some slopes at an end, some inputs of a known sign.

A Jacobian is affine in each slope, so its norm is largest with every slope at an end of
its sector; for l_inf inputs, and with the slopes given, it is largest at a corner of
the cube. So fixing slopes one by one, and whether two inputs move the same way or
opposite ways, splits the FGL into the largest of its parts.

Source: docs/solvers.md section 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geolip import presolve
from geolip.arrays import Array, Mask
from geolip.bounds.jacobian import attained
from geolip.linear import Sparse, compose
from geolip.norms import NormPair
from geolip.sectors import LinearMap, SectorNetwork

# -1, 0 or 1 for each neuron or input.
Ends: TypeAlias = NDArray[np.int8]
Indices: TypeAlias = NDArray[np.intp]
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Region:
    """Slope patterns and input directions of one piece of the constant.

    Parameters
    ----------
    piece : int
        Its index, see `geolip.pieces`.
    slopes : array (neurons,)
        -1 and 1 for slopes at their lower and upper end, 0 for free ones; the neurons
        of all blocks in their order.
    signs : array (n_0,)
        Inputs that are not 0 move together, up to these signs; the others are free.
    """

    piece: int
    slopes: Ends
    signs: Ends

    def with_slope(self, neuron: int, end: int) -> "Region":
        """Return the region with one more slope at an end."""
        slopes = self.slopes.copy()
        slopes[neuron] = end
        return replace(self, slopes=slopes)

    def with_sign(self, coordinate: int, sign: int) -> "Region":
        """Return the region with one more input that moves with the others."""
        signs = self.signs.copy()
        signs[coordinate] = sign
        return replace(self, signs=signs)


@dataclass(frozen=True, eq=False)
class Pattern:
    """Slopes at the ends of their sectors, and an input direction.

    Parameters
    ----------
    piece : int
        Of which piece.
    slopes : array (neurons,)
        -1 for the lower and 1 for the upper end.
    direction : array (n_0,)
        How the input moves; of any length.
    """

    piece: int
    slopes: Ends
    direction: Array

    def proved(self, network: SectorNetwork, norms: NormPair) -> float:
        """Return a lower bound that the pattern proves, of its piece's network."""
        slopes = [
            np.where(end > 0, block.upper, block.lower)[:, None]
            for block, end in zip(
                network.blocks, by_blocks(network, self.slopes), strict=True
            )
        ]
        exact = [np.zeros_like(s) for s in slopes]
        return float(
            attained(network, slopes, exact, norms, self.direction[:, None])[0]
        )


@dataclass(frozen=True, eq=False)
class Restriction:
    """The network of a region, reduced, and what its coordinates are in the piece's.

    Parameters
    ----------
    network : SectorNetwork
        Without what is fixed or dead; inputs that move together are one.
    inputs : array
        For every input one of those of the piece's network that it stands for.
    neurons : tuple of array
        The same for the neurons of every block.
    """

    network: SectorNetwork
    inputs: Indices
    neurons: tuple[Indices, ...]

    def pattern(self, region: Region, x: Array, up: Sequence[Mask]) -> Pattern:
        """Return a pattern of the restricted network as one of the piece.

        Parameters
        ----------
        region : Region
            Of which this is the restriction.
        x : array (m,)
            The input direction.
        up : sequence of array (n_k,)
            Which slopes are at their upper end.
        """
        slopes, direction = region.slopes.copy(), np.zeros(len(region.signs))
        slopes[slopes == 0] = 1
        for neurons, ends in zip(self.neurons, up, strict=True):
            slopes[neurons] = np.where(ends, 1, -1)
        direction[self.inputs] = x
        together = np.flatnonzero(region.signs)
        if together.size:
            # The first of them stands for all.
            common = direction[together[0]] * region.signs[together[0]]
            direction[together] = common * region.signs[together]
        return Pattern(region.piece, slopes, direction)


def restricted(network: SectorNetwork, region: Region) -> Restriction:
    """Return the network of a region.

    Parameters
    ----------
    network : SectorNetwork
        That of the region's piece.
    region : Region
        What is fixed.
    """
    ends = by_blocks(network, region.slopes)
    blocks = tuple(
        replace(
            block,
            lower=np.where(end > 0, block.upper, block.lower),
            upper=np.where(end < 0, block.lower, block.upper),
        )
        for block, end in zip(network.blocks, ends, strict=True)
    )
    narrowed = SectorNetwork(network.input_size, blocks, network.output)
    narrowed, inputs = _tied(narrowed, region.signs)
    reduction = presolve.reduce(narrowed)
    kept_inputs, *kept = reduction.kept
    numbers = by_blocks(network, np.arange(len(region.slopes)))
    neurons = (number[mask] for number, mask in zip(numbers, kept, strict=True))
    left = tuple(part for part in neurons if part.size)
    return Restriction(reduction.network, inputs[kept_inputs], left)


def by_blocks(network: SectorNetwork, values: NDArray[_T]) -> list[NDArray[_T]]:
    """Return values of all neurons by blocks."""
    cuts = np.cumsum(network.sizes[1:])[:-1]
    return np.split(values, cuts) if network.blocks else []


def _tied(network: SectorNetwork, signs: Ends) -> tuple[SectorNetwork, Indices]:
    """Return the network with one input for all that move together, the first one."""
    together = np.flatnonzero(signs)
    free = np.flatnonzero(signs == 0)
    if len(together) < 2:
        return network, np.arange(network.input_size)
    inputs = np.concatenate([together[:1], free])
    columns = np.concatenate([np.zeros(len(together), int), 1 + np.arange(len(free))])
    rows = np.concatenate([together, free])
    entries = np.concatenate([signs[together], np.ones(len(free))]).astype(float)
    shape = (network.input_size, len(inputs))
    spread = Sparse(sparse.csr_array((entries, (rows, columns)), shape=shape))

    def through(reading: LinearMap) -> LinearMap:
        terms = dict(reading.terms)
        if 0 in terms:
            terms[0] = compose(terms[0], spread)
        return LinearMap(reading.size, terms)

    blocks = tuple(
        replace(block, preactivation=through(block.preactivation))
        for block in network.blocks
    )
    return SectorNetwork(len(inputs), blocks, through(network.output)), inputs
