"""Slope patterns inside a region: rounded from a primal point, improved, proved.

Source: docs/theory.md section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geolip.arrays import Array
from geolip.bounds.jacobian import attained
from geolip.branching.compact import Compact, Point
from geolip.branching.region import Ends, Region, Restriction, by_blocks
from geolip.norms import NormPair
from geolip.sectors import SectorNetwork

_ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Pattern:
    """Slopes at the ends of their sectors, and an input direction.

    Parameters
    ----------
    output : int or None
        Which output moves; None for all together.
    slopes : array (neurons,)
        -1 for the lower and 1 for the upper end.
    direction : array (n_0,)
        How the input moves; of any length.
    """

    output: int | None
    slopes: Ends
    direction: Array

    def proved(self, network: SectorNetwork, norms: NormPair) -> float:
        """Return a lower bound of the FGL that the pattern proves."""
        if self.output is not None:
            network = network.rows(np.arange(network.output.size) == self.output)
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


def rounded(
    compact: Compact,
    norms: NormPair,
    point: Point,
    restriction: Restriction,
    region: Region,
) -> tuple[float, Pattern]:
    """Return a good pattern of a region and its value, which is not proved.

    A slope is at the end of its sector that its neuron's vector is nearer to, and the
    input is projected on the direction in which the output moves most. Then blocks are
    improved in turn, as in `geolip.bounds.pattern`.
    """
    outputs = compact.output @ point.vectors
    along = outputs[0] if len(outputs) == 1 else np.linalg.svd(outputs)[2][0]
    size = compact.offsets[1]
    x = norms.input.aligned((point.vectors[:size] @ along)[:, None])[:, 0]
    up = [loss[:, 1] < loss[:, 0] for loss in point.losses]
    value, x, up = _improved(compact, norms, x, up)
    slopes, direction = region.slopes.copy(), np.zeros(len(region.signs))
    slopes[slopes == 0] = 1
    for neurons, end in zip(restriction.neurons, up, strict=True):
        slopes[neurons] = np.where(end, 1, -1)
    direction[restriction.inputs] = x
    together = np.flatnonzero(region.signs)
    if together.size:
        first = together[0]
        direction[together] = (
            direction[first] * region.signs[first] * region.signs[together]
        )
    return value, Pattern(region.output, slopes, direction)


def _improved(
    compact: Compact, norms: NormPair, x: Array, up: Sequence[Array]
) -> tuple[float, Array, list[Array]]:
    """Choose the best slopes of each block with all else fixed, last block first."""
    up, best = list(up), 0.0
    found = (0.0, x, up)
    offsets, blocks = compact.offsets, range(len(compact.readings))
    v = np.empty(offsets[-1])
    z: list[Array] = [np.zeros(0)] * len(up)
    for _ in range(_ROUNDS):
        v[: offsets[1]] = x
        for k in blocks:
            z[k] = compact.readings[k] @ v[: offsets[k + 1]]
            v[offsets[k + 1] : offsets[k + 2]] = _slopes(compact, k, up[k]) * z[k]
        output = (compact.output @ v)[:, None]
        value = float(norms.output.of(output)[0])
        if not value > best * (1 + 1e-14):
            break
        best, found = value, (value, x, list(up))
        gradient = compact.output.T @ norms.output.dual_aligned(output)[:, 0]
        for k in reversed(blocks):
            g = gradient[offsets[k + 1] : offsets[k + 2]]
            up[k] = np.where(g * z[k] == 0, up[k], g * z[k] > 0)
            gradient[: offsets[k + 1]] += compact.readings[k].T @ (
                _slopes(compact, k, up[k]) * g
            )
        x = norms.input.aligned(gradient[: offsets[1], None])[:, 0]
    return found


def _slopes(compact: Compact, k: int, up: Array) -> Array:
    return np.where(up, compact.upper[k][:, 0], compact.lower[k][:, 0])
