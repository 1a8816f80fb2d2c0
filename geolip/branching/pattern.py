"""Slope patterns inside a region: rounded from a primal point, and improved.

Source: docs/theory.md section 6.
"""

from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array, Mask
from geolip.branching.compact import Compact, Point
from geolip.branching.region import Pattern, Region, Restriction
from geolip.norms import NormPair

_ROUNDS = 20


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
    return value, restriction.pattern(region, x, up)


def _improved(
    compact: Compact, norms: NormPair, x: Array, up: Sequence[Mask]
) -> tuple[float, Array, list[Mask]]:
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


def _slopes(compact: Compact, k: int, up: Mask) -> Array:
    return np.where(up, compact.upper[k][:, 0], compact.lower[k][:, 0])
