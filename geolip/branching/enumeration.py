"""All slope patterns of a network with one output and few neurons, one after the other.

Every entry of a Jacobian is a sum over paths, and a path's rounding errors are a share
of the sum of the paths' sizes that is the same for all patterns. So one majorant, the
Jacobian of absolute values, bounds the error of all norms.

Source: docs/solvers.md section 9; rounding as in docs/certificates.md section 2.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.norms import Norm
from geolip.rigor.rounding import UNIT, up
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

# Products along paths stay between two to the minus and plus this.
_EXPONENT = 900.0


@dataclass(frozen=True, eq=False)
class Enumerated:
    """What all patterns together prove.

    Parameters
    ----------
    bound : float
        Proved: no pattern has a larger Jacobian.
    value : float
        The largest norm as computed.
    up : list of array (n_k,)
        Which slopes of that pattern are at their upper end.
    gradient : array (n_0,)
        Its Jacobian.
    """

    bound: float
    value: float
    up: list[NDArray[np.bool_]]
    gradient: Array


def patterns(network: SectorNetwork) -> float:
    """Return how many numbers the Jacobians of all slope patterns are."""
    return math.ldexp(float(sum(network.sizes)), min(sum(network.sizes[1:]), 1000))


def is_tame(network: SectorNetwork) -> bool:
    """Return whether no product along a path leaves float64's range.

    Sums of such products do not either, but where they cancel exactly.
    """
    readings = [*(block.preactivation for block in network.blocks), network.output]
    total = 64.0 * len(readings)
    for reading in readings:
        ends = [abs(e) for A in reading.terms.values() for e in A.magnitude]
        total += max(ends, default=0.0)
    for block in network.blocks:
        slopes = np.abs(np.concatenate([block.lower, block.upper]))
        slopes = slopes[slopes > 0]
        total += float(np.abs(np.log2(slopes)).max(initial=0.0))
    return total <= _EXPONENT


def enumerated(network: SectorNetwork, norm: Norm) -> Enumerated:
    """Return the largest Jacobian over all slope patterns.

    Parameters
    ----------
    network : SectorNetwork
        With one output, and tame (`is_tame`).
    norm : Norm
        Of the inputs; the Jacobian's is the dual norm.
    """
    neurons = sum(network.sizes[1:])
    codes = np.arange(2**neurons)
    bits = (codes >> np.arange(neurons)[:, None]) & 1 == 1
    up_ends = np.split(bits, np.cumsum(network.sizes[1:])[:-1])[: len(network.blocks)]
    slopes = [
        np.where(bit, block.upper[:, None], block.lower[:, None])
        for block, bit in zip(network.blocks, up_ends, strict=True)
    ]
    gradients = network.adjoint_jacobian(slopes, np.ones((1, len(codes))))
    gradients = np.broadcast_to(gradients, (network.input_size, len(codes)))
    values = norm.dual(gradients)
    best = int(np.argmax(values))
    largest = float(values[best])
    error = _share(network) * float(norm.dual(_majorant(network))[0])
    bound = up(largest, 2 * network.input_size + 8) + up(error, 8)
    return Enumerated(
        math.nextafter(bound, math.inf),
        largest,
        [bit[:, best] for bit in up_ends],
        gradients[:, best],
    )


def _majorant(network: SectorNetwork) -> Array:
    """Return a bound of every entry of every Jacobian, shape (n_0, 1)."""
    blocks = tuple(
        SectorBlock(block.preactivation.absolute, block.lower, block.upper)
        for block in network.blocks
    )
    sizes = [np.maximum(np.abs(b.lower), np.abs(b.upper))[:, None] for b in blocks]
    absolute = SectorNetwork(network.input_size, blocks, network.output.absolute)
    return absolute.adjoint_jacobian(sizes, np.ones((1, 1)))


def _share(network: SectorNetwork) -> float:
    """Return the share of the majorant by which a computed gradient may be off.

    A path passes each reading once: a sum over its rows, of entries that carry
    roundings, added to what other readers sent, and times a slope. Twice that also
    covers the majorant's own rounding.
    """
    readings = [*(block.preactivation for block in network.blocks), network.output]
    return 2.0 * UNIT * sum(_roundings(r) + len(readings) + 8 for r in readings)


def _roundings(reading: LinearMap) -> int:
    return max((max(A.shape) + A.roundings for A in reading.terms.values()), default=0)
