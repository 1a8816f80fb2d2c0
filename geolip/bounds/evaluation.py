"""What a network computes at points, and by how much float64 may have missed it.

Source: as `geolip.bounds.jacobian`; what activations are off by is
`geolip.activations.Activation`'s promise.
"""

from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.bounds.jacobian import (
    TINY,
    UNIT,
    Uncertain,
    known,
    propagated,
    rounding,
    uncertain,
)
from geolip.network import Affine, Network


@np.errstate(over="ignore", invalid="ignore")
def evaluated(network: Network, X: Array) -> list[Uncertain]:
    """Return z_1..z_K and the output before the head, with bounds of their errors.

    Parameters
    ----------
    network : Network
        The network.
    X : array (n_0, r)
        Input points, used exactly as they are.
    """
    values, results = [known(X)], []
    for block in network.blocks:
        z = _read(block.preactivation, values)
        results.append(z)
        lower, upper = (end[:, None] for end in block.activation.sector(block.size))
        steepest = np.maximum(np.abs(lower), np.abs(upper))
        value = block.activation.function(z.value)
        local = 32 * UNIT * (np.abs(value) + steepest * np.abs(z.value)) + TINY
        radius = steepest * z.radius * (1 + 8 * UNIT) + local
        inherited = steepest.max(initial=0.0) * z.length
        values.append(uncertain(value, radius, inherited, local))
    return [*results, _read(network.output, values)]


def _read(reading: Affine, values: Sequence[Uncertain]) -> Uncertain:
    read = propagated(reading.linear, values)
    Z = read.value + reading.bias[:, None]
    unsure = rounding(reading.linear)
    local = unsure * (np.abs(Z) + np.abs(reading.bias)[:, None]) + TINY
    local = local + reading.doubt
    return uncertain(Z, read.radius * (1 + 8 * UNIT) + local, read.length, local)
