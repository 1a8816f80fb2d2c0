"""A Lipschitz constant in any norms, as the largest of those of pieces.

What the relaxation bounds is one number, or a vector in l_2, over the unit ball of l_2
or l_inf. The other norms come down to that, and nothing is lost:

* An output measured in l_inf is the largest of its coordinates: a piece for each.
* The unit ball of l_1 has the corners +e_j and -e_j, and a norm is largest at a corner:
  a piece for each input coordinate that moves alone, where all norms are the same.
* An output f measured in l_1 is a sum of absolute values, ``sum_i s_i f_i`` with slopes
  s_i in [-1, 1]: one more layer of neurons, and a single output.

Source: docs/theory.md section 3.
"""

from dataclasses import dataclass, replace

import numpy as np

from geolip.linear import Dense, compose, selection
from geolip.norms import NORMS, NormPair
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork


@dataclass(frozen=True, eq=False)
class Piece:
    """A network of differences and the norms of its two ends."""

    network: SectorNetwork
    norms: NormPair

    @property
    def relaxed(self) -> "Piece":
        """The piece with the same constant whose output is in l_2 or a single one."""
        network, norms = self.network, self.norms
        if norms.output.name != "1":
            return self
        single = NormPair(norms.input, NORMS["inf"])
        size = network.output.size
        if size == 1:
            return Piece(network, single)
        ends = np.ones(size)
        absolute = SectorBlock(network.output, -ends, ends)
        blocks = (*network.blocks, absolute)
        total = LinearMap(1, {len(blocks): Dense(ends[None])})
        return Piece(SectorNetwork(network.input_size, blocks, total), single)


def count(network: SectorNetwork, norms: NormPair) -> int:
    """Return how many pieces there are; each has an index below that."""
    return _inputs(network, norms) * _outputs(network, norms)


def piece(network: SectorNetwork, norms: NormPair, index: int) -> Piece:
    """Return a piece; outputs, inputs, or both, output by output, are counted."""
    output, moved = place(network, norms, index)
    if moved is not None:
        network = _with_one_input(network, moved)
    if output is not None:
        network = network.rows(np.arange(network.output.size) == output)
    return Piece(network, norms)


def place(
    network: SectorNetwork, norms: NormPair, index: int
) -> tuple[int | None, int | None]:
    """Return which output and which input a piece has, None for all of them."""
    output, moved = divmod(index, _inputs(network, norms))
    return output if norms.rowwise else None, moved if norms.columnwise else None


def name(network: SectorNetwork, norms: NormPair, index: int) -> str:
    """Return what people call a piece."""
    output, moved = place(network, norms, index)
    words = [] if output is None else [str(output)]
    return ", ".join(words if moved is None else [*words, f"input {moved}"])


def _inputs(network: SectorNetwork, norms: NormPair) -> int:
    return network.input_size if norms.columnwise else 1


def _outputs(network: SectorNetwork, norms: NormPair) -> int:
    return network.output.size if norms.rowwise else 1


def _with_one_input(network: SectorNetwork, moved: int) -> SectorNetwork:
    """Return the network that reads a single coordinate of its input."""
    coordinates = np.arange(network.input_size)
    alone = selection(np.where(coordinates == moved, moved, -1), len(coordinates))

    def cut(reading: LinearMap) -> LinearMap:
        terms = {j: A if j else compose(A, alone) for j, A in reading.terms.items()}
        return LinearMap(reading.size, terms)

    blocks = []
    for block in network.blocks:
        known = block.mixture
        mixture = known and replace(known, source=cut(known.source))
        reading = cut(block.preactivation)
        blocks.append(replace(block, preactivation=reading, mixture=mixture))
    return replace(network, blocks=tuple(blocks), output=cut(network.output))
