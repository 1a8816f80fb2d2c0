"""Lower bounds of the formal global Lipschitz constant: slope patterns.

Any choice of slopes at the ends of their sectors gives a Jacobian whose norm the SDP
bound cannot undercut. Patterns are rounded from the relaxation's primal vectors by
random hyperplanes, then improved: with all else fixed the best slope of a neuron is
known from the sign of its gradient, so one adjoint pass improves every block in turn.
The best patterns are proved in the end; their slopes are exact.

Source: docs/theory.md section 6; rounding by hyperplanes after Goemans and Williamson
(J. ACM 42, 1995).
"""

import math
import time
from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.bounds.jacobian import attained, jacobian_norms
from geolip.norms import NormPair
from geolip.pace import affordable
from geolip.sectors import Gradients, SectorNetwork

_PATTERNS = 32
_ROUNDS = 24
# So many patterns are proved in the end.
_PROVED = 8


@np.errstate(over="ignore", invalid="ignore")
def largest_pattern(
    network: SectorNetwork,
    norms: NormPair,
    seed: int,
    vectors: Sequence[Array] | None = None,
    deadline: float = math.inf,
) -> tuple[float, Array]:
    """Return a proved lower bound of the FGL from the best slope pattern found.

    Parameters
    ----------
    network : SectorNetwork
        The network.
    norms : NormPair
        In which to measure.
    seed : int
        Of the random hyperplanes.
    vectors : sequence of array (n_k, rank), optional
        A primal point of the relaxation by blocks 0..K; without it, or if it has other
        shapes or is not finite, the start is random.
    deadline : float
        When, by `time.monotonic`, no other round is begun. Where there is time for few
        patterns, they are few.

    Returns
    -------
    (float, array (n_0,))
        A lower bound of the FGL, and the unit input direction that attains it.
    """
    random = np.random.default_rng(seed)
    count = affordable(network, _PATTERNS, deadline)
    X, slopes = _random_start(network, norms, random, count)
    if vectors is not None and _usable(network, vectors):
        hyperplanes = random.standard_normal((vectors[0].shape[1], count))
        rounded_X, rounded = _rounded_start(network, norms, vectors, hyperplanes)
        X = np.concatenate([X, rounded_X], axis=1)
        pairs = zip(slopes, rounded, strict=True)
        slopes = [np.concatenate(pair, axis=1) for pair in pairs]
    for _ in range(_ROUNDS):
        X, slopes, changed = _improve(network, norms, X, slopes)
        if not changed or time.monotonic() > deadline:
            break
    F = norms.output.dual_aligned(network.jacobian(slopes, X))
    values, X, _ = jacobian_norms(network, slopes, norms, F)
    order = np.argsort(-values)[:_PROVED]
    X, slopes = X[:, order], [s[:, order] for s in slopes]
    doubts = [np.zeros_like(s) for s in slopes]
    bounds = attained(network, slopes, doubts, norms, X)
    best = int(np.argmax(bounds))
    return float(bounds[best]), X[:, best]


def _usable(network: SectorNetwork, vectors: Sequence[Array]) -> bool:
    shapes = [np.shape(V) for V in vectors]
    if not shapes or shapes != [(size, *shapes[0][1:]) for size in network.sizes]:
        return False
    return len(shapes[0]) == 2 and all(bool(np.isfinite(V).all()) for V in vectors)


def _random_start(
    network: SectorNetwork, norms: NormPair, random: np.random.Generator, count: int
) -> tuple[Array, list[Array]]:
    draw = random.standard_normal((network.input_size, count))
    slopes = []
    for block in network.blocks:
        up = random.random((block.size, count)) < 0.5
        slopes.append(np.where(up, block.upper[:, None], block.lower[:, None]))
    # One pattern with every slope at its upper end: the best for non-negative weights.
    for block, pattern in zip(network.blocks, slopes, strict=True):
        pattern[:, 0] = block.upper
    draw[:, 0] = 1.0
    return norms.input.aligned(draw), slopes


def _rounded_start(
    network: SectorNetwork,
    norms: NormPair,
    vectors: Sequence[Array],
    hyperplanes: Array,
) -> tuple[Array, list[Array]]:
    projected = [V @ hyperplanes for V in vectors]
    slopes = []
    for k, block in enumerate(network.blocks, 1):
        z = block.preactivation.apply(projected)
        centre = ((block.lower + block.upper) / 2)[:, None]
        up = (projected[k] - centre * z) * z > 0
        slopes.append(np.where(up, block.upper[:, None], block.lower[:, None]))
    return norms.input.aligned(projected[0]), slopes


def _improve(
    network: SectorNetwork, norms: NormPair, X: Array, slopes: Sequence[Array]
) -> tuple[Array, list[Array], bool]:
    """Choose the best slopes of each block with all else fixed, last block first."""
    values, preactivations = [X], []
    for block, s in zip(network.blocks, slopes, strict=True):
        preactivations.append(block.preactivation.apply(values))
        values.append(s * preactivations[-1])
    F = norms.output.dual_aligned(network.output.apply(values))
    gradients = Gradients(network.sizes, X.shape[1])
    network.output.add_adjoint(F, gradients)
    improved = list(slopes)
    for k in range(len(network.blocks), 0, -1):
        block, gain = network.blocks[k - 1], gradients[k] * preactivations[k - 1]
        best = np.where(gain > 0, block.upper[:, None], block.lower[:, None])
        improved[k - 1] = np.where(gain == 0, slopes[k - 1], best)
        block.preactivation.add_adjoint(improved[k - 1] * gradients[k], gradients)
    moved = norms.input.aligned(gradients[0])
    pairs = zip(improved, slopes, strict=True)
    changed = any(bool((new != old).any()) for new, old in pairs)
    return moved, improved, changed or not np.array_equal(moved, X)
