"""The exact constant of networks without negative weights.

Where no weight is negative and no slope is below minus the largest, the Jacobian with
all slopes at their upper ends dominates all others entry by entry, and operator norms
in l_1, l_2 and l_inf do not grow when entries shrink in size. If far up the diagonal of
the input space every neuron has that slope, the constant is the norm of that Jacobian.

Source: `docs/theory.md` section 8.
"""

from collections.abc import Iterator

import numpy as np

from geolip.arrays import Array
from geolip.bounds.jacobian import UNIT, attained, jacobian_norms
from geolip.linear import LinearOperator
from geolip.network import Block, Network
from geolip.norms import NormPair
from geolip.sectors import SectorNetwork

# Rounds of the power method; for one output, or l_inf inputs, the first is exact.
_ROUNDS = 100
# So near to the bound there is nothing left to find.
_NEAR = 1e-9


def has_negative_weights(network: SectorNetwork) -> bool:
    """Return whether any number that the affine maps store is below zero."""
    operators = (A for reading in network.readings for A in reading.terms.values())
    return any((numbers < 0).any() for A in operators for numbers in _stored(A))


def steepest_far_up(block: Block) -> bool:
    """Return whether the slope at all large enough z is the sector's largest in size.

    Of neurons whose function is linear between kinks.
    """
    activation, size = block.activation, block.size
    lower, upper = activation.sector(size)
    beyond = 2.0 * max(map(abs, activation.kinks), default=0.0) + 1.0
    slope = activation.derivative(np.full((size, 1), beyond))[:, 0]
    return bool(
        activation.curvature == 0 and (slope == upper).all() and (-upper <= lower).all()
    )


def dominant_norm(network: Network, norms: NormPair, bound: float) -> float:
    """Return a proved lower bound of the norm of the Jacobian with the upper slopes.

    Parameters
    ----------
    network : Network
        Without negative weights.
    norms : NormPair
        In which to measure.
    bound : float
        An upper bound; near it the search ends.
    """
    sectors = network.sectors()
    slopes = [block.upper[:, None] for block in sectors.blocks]
    # Sectors may be rounded outwards.
    doubts = [4 * UNIT * np.abs(s) for s in slopes]
    F, best = np.ones((sectors.output.size, 1)), 0.0
    for _ in range(_ROUNDS):
        _, X, F = jacobian_norms(sectors, slopes, norms, F)
        best = max(best, float(attained(sectors, slopes, doubts, norms, X)[0]))
        if best >= bound * (1 - _NEAR):
            break
    return best


def _stored(operator: LinearOperator) -> Iterator[Array]:
    """Yield every array of numbers that an operator is made of."""
    arrays: list[Array] = []

    def look(numbers: Array) -> Array:
        arrays.append(numbers)
        return numbers

    operator.entrywise(look)
    yield from arrays
