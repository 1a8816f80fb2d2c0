"""Lower bounds of the true Lipschitz constant from random points alone.

What GeoLIP calls Sample: the largest gradient of many points, uniform in a cube. Only
the largest few are proved.

Source: Wang, Prakriya, Jha (NeurIPS 2022), who take 200 000 points in [-5, 5]^n.
"""

import math
import time

import numpy as np

from geolip.arrays import Array
from geolip.bounds.gradient import doubtful_slopes
from geolip.bounds.jacobian import attained, jacobian_norms
from geolip.network import Network
from geolip.norms import NormPair

# Half the side of the cube.
REACH = 5.0

_BATCH = 256
_PROVED = 8
# Of the power method, while looking; once is exact for one output.
_STEPS = 3


@np.errstate(over="ignore", invalid="ignore")
def largest_sampled(
    network: Network,
    norms: NormPair,
    seed: int,
    points: int,
    deadline: float = math.inf,
) -> tuple[float, int]:
    """Return a proved lower bound from random points, and how many there were.

    Parameters
    ----------
    network : Network
        The network.
    norms : NormPair
        In which to measure.
    seed : int
        Of the points.
    points : int
        How many at most.
    deadline : float
        When, by `time.monotonic`, no more are tried.
    """
    random = np.random.default_rng(seed)
    sectors = network.sectors()
    best, values = np.zeros((network.input_size, 0)), np.zeros(0)
    tried = 0
    while tried < points and (not tried or time.monotonic() < deadline):
        count = min(_BATCH, points - tried)
        X = random.uniform(-REACH, REACH, (network.input_size, count))
        F = random.standard_normal((network.output.size, count))
        found, _, _ = jacobian_norms(sectors, network.slopes(X), norms, F, _STEPS)
        tried += count
        X, values = np.concatenate([best, X], 1), np.concatenate([values, found])
        # NaN last.
        order = np.argsort(-values)[:_PROVED]
        best, values = X[:, order], values[order]
    return _proved(network, norms, best, random), tried


def _proved(
    network: Network, norms: NormPair, X: Array, random: np.random.Generator
) -> float:
    sectors = network.sectors()
    slopes, doubts = doubtful_slopes(network, X)
    F = random.standard_normal((network.output.size, X.shape[1]))
    _, along, _ = jacobian_norms(sectors, slopes, norms, F)
    return float(attained(sectors, slopes, doubts, norms, along).max(initial=0.0))
