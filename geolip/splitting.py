"""Networks whose matrices do not fit in memory: bounded in parts that do.

Where everything after block k reads block k alone, the network is a composition, and
the product of bounds of its parts bounds it:

    |f2 o f1|_{p -> q} <= |f2|_{2 -> q} |f1|_{p -> 2}

Block k is measured in l_2, which the relaxation bounds for a vector in one piece.

Source: docs/theory.md section 7.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from geolip import presolve, relaxations
from geolip.bounds.norm_product import norm_product
from geolip.bounds.structured_norm import structured_norm
from geolip.linear import identity
from geolip.norms import NORMS, NormPair
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

_MIDDLE = NORMS["2"]

Bound = Callable[[Problem], float]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a network and the norms at its two ends."""

    network: SectorNetwork
    norms: NormPair

    @property
    def problem(self) -> Problem:
        """The relaxation of the part."""
        reduced = presolve.reduce(self.network).network
        _, relaxation = relaxations.choose(None, self.norms)
        return relaxation.problem(reduced, self.norms)


def parts(whole: Part, fits: Callable[[Problem], bool]) -> list[Part]:
    """Return consecutive parts that fit, or cannot be cut any further.

    Each cut is made where the larger of the two parts is smallest.
    """
    if fits(whole.problem):
        return [whole]
    pairs = [cut(whole, k) for k in cuts(whole.network)]
    if not pairs:
        return [whole]
    front, back = min(pairs, key=lambda pair: max(p.problem.numbers for p in pair))
    return [*parts(front, fits), *parts(back, fits)]


def bounded(part: Part, fits: Callable[[Problem], bool], bound: Bound) -> float:
    """Return a bound of one part; of one that does not fit, the norm product."""
    problem = part.problem
    if problem.is_trivial:
        return 0.0
    product = norm_product(part.network, part.norms, structured_norm)
    return min(bound(problem), product) if fits(problem) else product


def multiplied(left: float, right: float) -> float:
    """Return the product of two bounds, not below the exact one."""
    return math.nextafter(left * right, math.inf) if left and right else 0.0


def cuts(network: SectorNetwork) -> list[int]:
    """Return the blocks, but for the last, after which the network may be cut."""
    found = []
    earliest = min(network.output.terms, default=0)
    for k in range(len(network.blocks), 0, -1):
        # Everything after block k reads block k or later ones.
        if earliest >= k and k < len(network.blocks):
            found.append(k)
        terms = network.blocks[k - 1].preactivation.terms
        earliest = min(earliest, min(terms, default=0))
    return found


def cut(part: Part, k: int) -> tuple[Part, Part]:
    """Return the two parts before and after a block of `cuts`."""
    network, norms = part.network, part.norms
    size = network.blocks[k - 1].size
    front = SectorNetwork(
        network.input_size,
        network.blocks[:k],
        LinearMap(size, {k: identity(size)}),
    )
    later = tuple(
        SectorBlock(_shifted(block.preactivation, k), block.lower, block.upper)
        for block in network.blocks[k:]
    )
    back = SectorNetwork(size, later, _shifted(network.output, k))
    return (
        Part(front, NormPair(norms.input, _MIDDLE)),
        Part(back, NormPair(_MIDDLE, norms.output)),
    )


def _shifted(reading: LinearMap, k: int) -> LinearMap:
    terms = {j - k: operator for j, operator in reading.terms.items()}
    return LinearMap(reading.size, terms)
