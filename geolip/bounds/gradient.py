"""Lower bounds of the true Lipschitz constant: gradients at points of the input space.

Random points of many sizes are improved by ascent: a step along the direction in which
the output moves fastest, or a random one, is kept where the gradient's norm grew.

Source: the Lipschitz constant is at least the dual norm of the gradient wherever it
exists; docs/theory.md section 6.
"""

from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.bounds.jacobian import jacobian_norms
from geolip.network import Network
from geolip.norms import NormPair
from geolip.sectors import SectorNetwork

_POINTS = 32
_ROUNDS = 16
# What float64 may have added to a gradient that is computed with a few thousand terms.
_ROUNDING = 1e-11


def largest_gradient(
    network: Network,
    output: SectorNetwork,
    norms: NormPair,
    seed: int,
    directions: Sequence[Array] = (),
) -> float:
    """Return the largest gradient norm found, a lower bound of the Lipschitz constant.

    Parameters
    ----------
    network : Network
        What is evaluated.
    output : SectorNetwork
        Its differences, with the outputs that are asked about.
    norms : NormPair
        In which to measure.
    seed : int
        Of the random points.
    directions : sequence of array (n_0,)
        Input directions worth trying, at several distances.
    """
    random = np.random.default_rng(seed)
    X = _starts(random, network.input_size, directions)
    F = random.standard_normal((output.output.size, X.shape[1]))
    slopes = network.slopes(X)
    values, along, F = jacobian_norms(output, slopes, norms, F)
    for _ in range(_ROUNDS):
        size = np.sqrt(np.mean(X**2, axis=0)) + 1e-3
        step = size * 10.0 ** random.uniform(-2, 0.5, X.shape[1])
        wander = random.standard_normal(X.shape)
        straight = random.random(X.shape[1]) < 0.5
        sign = np.where(random.random(X.shape[1]) < 0.5, -1.0, 1.0)
        length = np.sqrt(np.mean(along**2, axis=0))
        length = np.where(length > 0, length, 1.0)
        moved = X + step * np.where(straight, sign * along / length, wander)
        tried, along_tried, F_tried = jacobian_norms(
            output, network.slopes(moved), norms, F
        )
        better = tried >= values
        X = np.where(better, moved, X)
        F = np.where(better, F_tried, F)
        along = np.where(better, along_tried, along)
        values = np.maximum(values, tried)
    return float(values[np.isfinite(values)].max(initial=0.0)) * (1 - _ROUNDING)


def _starts(
    random: np.random.Generator, size: int, directions: Sequence[Array]
) -> Array:
    sizes = 10.0 ** random.uniform(-2, 2, _POINTS)
    points = [random.standard_normal((size, _POINTS)) * sizes]
    for direction in directions:
        far = direction[:, None] / max(np.abs(direction).max(initial=0.0), 1e-300)
        points.append(far * np.array([-100.0, -1.0, 1.0, 100.0]))
    return np.concatenate(points, axis=1)
