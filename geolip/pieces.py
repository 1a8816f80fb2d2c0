"""A Lipschitz constant in any norms, as the largest of those of pieces.

What the relaxation bounds is one number, or a vector in l_2, over the unit ball of l_2
or l_inf. The other norms come down to that, and nothing is lost:

* An output measured in l_inf is the largest of its coordinates: a piece for each.
* The unit ball of l_1 has the corners +e_j and -e_j, and a norm is largest at a corner:
  a piece for each input coordinate that moves alone, where all norms are the same.
* An output f measured in l_1 is a sum of absolute values, ``sum_i s_i f_i`` with slopes
  s_i in [-1, 1]: one more layer of neurons, and a single output.

From l_1 to l_inf there is a piece for every output and input. As no output is larger
than all together in l_2, a piece with one input and all outputs bounds many of them.

Source: docs/theory.md section 3.
"""

from dataclasses import dataclass, replace

import numpy as np

from geolip.linear import Dense, LinearOperator, compose, selection
from geolip.norms import NORMS, NormPair
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork


@dataclass(frozen=True, eq=False)
class Piece:
    """A network of differences and the norms of its two ends.

    Parameters
    ----------
    network : SectorNetwork
        It has all inputs of the whole network, but may not read all.
    norms : NormPair
        Those of the whole.
    moved : int or None
        The input coordinate that moves, None for all of them.
    """

    network: SectorNetwork
    norms: NormPair
    moved: int | None = None

    @property
    def ends(self) -> NormPair:
        """The norms of the two ends of `relaxed`."""
        given, measured = self.norms.input, self.norms.output
        return NormPair(given, NORMS["inf"] if measured.name == "1" else measured)

    @property
    def relaxed(self) -> SectorNetwork:
        """A network with the same constant, whose output is a single one or in l_2.

        Outputs of l_inf that are not apart are bounded in l_2, which is no smaller.
        """
        network = self.network
        if self.moved is not None:
            coordinates = np.arange(network.input_size)
            index = np.where(coordinates == self.moved, 0, -1)
            network = _after(network, selection(index, 1))
        if self.norms.output.name != "1" or network.output.size == 1:
            return network
        ends = np.ones(network.output.size)
        absolute = SectorBlock(network.output, -ends, ends)
        blocks = (*network.blocks, absolute)
        total = LinearMap(1, {len(blocks): Dense(ends[None])})
        return SectorNetwork(network.input_size, blocks, total)


def count(network: SectorNetwork, norms: NormPair) -> int:
    """Return how many pieces there are that are not made of others."""
    outputs = network.output.size if norms.rowwise else 1
    return outputs * _inputs(network, norms)


def coarse(network: SectorNetwork, norms: NormPair) -> range:
    """Return the indices of the fewest pieces that make up the whole."""
    first = count(network, norms)
    if norms.rowwise and norms.columnwise and network.output.size > 1:
        return range(first, first + network.input_size)
    return range(first)


def covered(network: SectorNetwork, norms: NormPair, index: int) -> range:
    """Return the indices, below `count`, of the pieces that a piece is made of."""
    every = count(network, norms)
    if index < every:
        return range(index, index + 1)
    return range(index - every, every, network.input_size)


def piece(network: SectorNetwork, norms: NormPair, index: int) -> Piece:
    """Return a piece: one output, one input, or both, output by output.

    From `count` on, where there are outputs and inputs, the inputs with all outputs.
    """
    output, moved = place(network, norms, index)
    if moved is not None:
        coordinates = np.arange(network.input_size)
        kept = np.where(coordinates == moved, moved, -1)
        network = _after(network, selection(kept, network.input_size))
    if output is not None:
        network = network.rows(np.arange(network.output.size) == output)
    return Piece(network, norms, moved)


def name(network: SectorNetwork, norms: NormPair, index: int) -> str:
    """Return what people call a piece."""
    output, moved = place(network, norms, index)
    if moved is None:
        return str(output)
    return str(moved) if output is None else f"{moved} to output {output}"


def place(
    network: SectorNetwork, norms: NormPair, index: int
) -> tuple[int | None, int | None]:
    """Return which output and which input a piece has, None for all of them."""
    output, moved = divmod(index, _inputs(network, norms))
    alone = norms.rowwise and index < count(network, norms)
    return output if alone else None, moved if norms.columnwise else None


def _inputs(network: SectorNetwork, norms: NormPair) -> int:
    return network.input_size if norms.columnwise else 1


def _after(network: SectorNetwork, before: LinearOperator) -> SectorNetwork:
    """Return the network whose input is what an operator makes of another one."""

    def through(reading: LinearMap) -> LinearMap:
        terms = {j: A if j else compose(A, before) for j, A in reading.terms.items()}
        return LinearMap(reading.size, terms)

    blocks = []
    for block in network.blocks:
        known = block.mixture
        mixture = known and replace(known, source=through(known.source))
        reading = through(block.preactivation)
        blocks.append(replace(block, preactivation=reading, mixture=mixture))
    size = before.shape[1]
    return SectorNetwork(size, tuple(blocks), through(network.output))
