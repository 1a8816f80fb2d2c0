"""Removing neurons and inputs that need not be there, exactly, and putting them back.

A neuron with a single slope is linear: those who read it read what it reads.

A neuron whose pre-activation difference is identically zero, or that nothing reads, and
an input that nothing reads would give B(tau, D) an empty row. They are left out of the
problem; their multipliers are zero in the original network.

Source: docs/theory.md section 5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geolip.arrays import Array, Mask
from geolip.errors import RefusedCertificateError
from geolip.linear import LinearOperator, add, compose, scaled
from geolip.multipliers import Multipliers
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

# Binary exponents up to here leave room for a few more products in float64.
_LARGEST_EXPONENT = 1000


@dataclass(frozen=True, eq=False)
class Reduction:
    """A network without its dead parts, and where the rest came from.

    Parameters
    ----------
    network : SectorNetwork
        The reduced network. Blocks that died altogether are left out, so that a chain
        of layers stays one; the input stays block 0.
    kept : tuple of mask
        For every original block, which coordinates are left.
    """

    network: SectorNetwork
    kept: tuple[Mask, ...]

    def restored_input(self, values: Array) -> Array:
        """Return an input of the reduced network as one of the original, else zero."""
        full = np.zeros(len(self.kept[0]))
        full[self.kept[0]] = values
        return full

    def restored(self, multipliers: Multipliers) -> Multipliers:
        """Return multipliers of the reduced network as those of the original.

        Zero for what was left out.
        """
        parts = iter(multipliers)
        tau, *d = (_spread(mask, parts, k) for k, mask in enumerate(self.kept))
        places = np.flatnonzero(self.kept[0])
        triangles = multipliers.triangles.moved(places, len(self.kept[0]))
        return Multipliers(tau, tuple(d), triangles)

    def reduced(self, multipliers: Multipliers) -> Multipliers:
        """Return the multipliers of the original network that the reduced one needs.

        Raises
        ------
        RefusedCertificateError
            If there are not as many as neurons, or one that is left out is not zero.
        """
        parts = list(multipliers)
        if [part.shape for part in parts] != [mask.shape for mask in self.kept]:
            raise RefusedCertificateError("multipliers do not fit the network")
        if any(part[~mask].any() for part, mask in zip(parts, self.kept, strict=True)):
            raise RefusedCertificateError("multipliers of dead neurons are not zero")
        tau, *d = (part[mask] for part, mask in zip(parts, self.kept, strict=True))
        if not multipliers.triangles.usable(len(self.kept[0])):
            raise RefusedCertificateError("triangles do not fit the network's input")
        # An input that is left out has no place, which is no place for a triangle.
        places = np.where(self.kept[0], np.cumsum(self.kept[0]) - 1, -1)
        triangles = multipliers.triangles.moved(places, len(tau))
        return Multipliers(tau, tuple(part for part in d if part.size), triangles)


def reduce(network: SectorNetwork) -> Reduction:
    """Return the network without dead or linear neurons and unused inputs.

    Parameters
    ----------
    network : SectorNetwork
        Any network; a neuron with sector [0, 0] counts as dead.

    Returns
    -------
    Reduction
        A network with the same differences, every coordinate of which is both moved by
        the input and read on the way to the output, by a slope that is not fixed. It
        has no mixtures.
    """
    network = _without_linear(network)
    kept = [np.ones(size, dtype=bool) for size in network.sizes]
    while True:
        alive = _alive(network)
        if all(mask.all() for mask in alive):
            return Reduction(_without_empty(network), tuple(kept))
        for mask, still in zip(kept, alive, strict=True):
            mask[mask] = still
        network = _restrict(network, alive)


def _spread(mask: Mask, parts: Iterator[Array], k: int) -> Array:
    full = np.zeros(len(mask))
    # Blocks that died altogether have no part, but for the input.
    if mask.any() or k == 0:
        full[mask] = next(parts)
    return full


def _without_empty(network: SectorNetwork) -> SectorNetwork:
    """Return the network without blocks of size 0, the others renumbered."""
    sizes = network.sizes
    left = [0, *(k for k in range(1, len(sizes)) if sizes[k])]
    number = {old: new for new, old in enumerate(left)}

    def renumbered(reading: LinearMap) -> LinearMap:
        terms = {number[j]: A for j, A in reading.terms.items() if j in number}
        return LinearMap(reading.size, terms)

    blocks = (network.blocks[k - 1] for k in left[1:])
    return SectorNetwork(
        network.input_size,
        tuple(
            SectorBlock(renumbered(b.preactivation), b.lower, b.upper) for b in blocks
        ),
        renumbered(network.output),
    )


def _without_linear(network: SectorNetwork) -> SectorNetwork:
    """Return the network with all reading of linear neurons replaced; they are left."""
    readings: list[LinearMap] = []

    def through(reading: LinearMap) -> LinearMap:
        terms: dict[int, LinearOperator] = {}

        def collect(j: int, operator: LinearOperator) -> None:
            terms[j] = add(terms[j], operator) if j in terms else operator

        for k, operator in reading.terms.items():
            block = network.blocks[k - 1] if k else None
            linear = None if block is None else block.lower == block.upper
            if block is None or linear is None or not linear.any():
                collect(k, operator)
                continue
            if not linear.all():
                collect(k, scaled(operator, np.where(linear, 0.0, 1.0)))
            sloped = scaled(operator, np.where(linear, block.lower, 0.0))
            for j, inner in readings[k - 1].terms.items():
                collect(j, compose(sloped, inner))
        return LinearMap(reading.size, dict(sorted(terms.items())))

    if not any((block.lower == block.upper).any() for block in network.blocks):
        return network
    blocks = []
    for block in network.blocks:
        readings.append(through(block.preactivation))
        blocks.append(replace(block, preactivation=readings[-1]))
    changed = SectorNetwork(network.input_size, tuple(blocks), through(network.output))
    # A product that underflows would make bounds too small: better leave it as it was.
    operators = [A for r in (*readings, changed.output) for A in r.terms.values()]
    ends = [abs(exponent) for A in operators for exponent in A.magnitude]
    return changed if max(ends, default=0.0) <= _LARGEST_EXPONENT else network


def _alive(network: SectorNetwork) -> list[Mask]:
    # By structure: numbers that cancel or underflow do not make a neuron dead.
    moved = [np.ones(network.input_size, dtype=bool)]
    for block in network.blocks:
        reads = np.zeros(block.size, dtype=bool)
        for operator in block.preactivation.terms.values():
            reads |= operator.reading_rows
        moved.append(reads & ((block.lower != 0) | (block.upper != 0)))
    read = [np.zeros(size, dtype=bool) for size in network.sizes]
    for reader in (*(block.preactivation for block in network.blocks), network.output):
        for j, operator in reader.terms.items():
            read[j] |= operator.read_columns
    return [left & right for left, right in zip(moved, read, strict=True)]


def _restrict(network: SectorNetwork, alive: Sequence[Mask]) -> SectorNetwork:
    blocks = tuple(
        SectorBlock(
            block.preactivation.restrict(mask, alive),
            block.lower[mask],
            block.upper[mask],
        )
        for block, mask in zip(network.blocks, alive[1:], strict=True)
    )
    every = np.ones(network.output.size, dtype=bool)
    output = network.output.restrict(every, alive)
    return SectorNetwork(int(alive[0].sum()), blocks, output)
