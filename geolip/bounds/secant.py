"""Lower bounds of the true Lipschitz constant: how far apart the values of pairs are.

No derivative is trusted, nor that there is one: the ratio is of two outputs' distance
to that of their inputs. Pairs are improved by turning them to where, by the gradients
at both ends, the output moves fastest, and by moving and stretching them at random. The
best are proved in the end.

Source: the definition of the constant.
"""

import math
import time
from dataclasses import dataclass, fields

import numpy as np

from geolip.arrays import Array
from geolip.bounds.evaluation import evaluated
from geolip.bounds.jacobian import UNIT, largest_norm, least_norm
from geolip.network import Network
from geolip.norms import NormPair

_PAIRS = 32
_ROUNDS = 64
_PROVED = 8
# Powers of ten: of the first points' sizes and distances, and of later changes.
_SIZES, _LENGTHS, _CHANGE = (-2.0, 2.0), (-2.0, 1.0), (-0.5, 0.5)
# Of a step of the midpoint, in units of the distance.
_STRAY = 0.3


@np.errstate(over="ignore", invalid="ignore")
def largest_secant(
    network: Network, norms: NormPair, seed: int, deadline: float = math.inf
) -> float:
    """Return a proved lower bound of the Lipschitz constant from the best pair found.

    Parameters
    ----------
    network : Network
        The network.
    norms : NormPair
        In which to measure.
    seed : int
        Of the random pairs.
    deadline : float
        When, by `time.monotonic`, no other round is begun.
    """
    random = np.random.default_rng(seed)
    sizes = 10.0 ** random.uniform(*_SIZES, _PAIRS)
    middle = random.standard_normal((network.input_size, _PAIRS)) * sizes
    along = random.standard_normal(middle.shape)
    length = sizes * 10.0 ** random.uniform(*_LENGTHS, _PAIRS)
    best = _look(network, norms, middle, along / norms.input.of(along), length)
    for _ in range(_ROUNDS):
        if time.monotonic() > deadline:
            break
        stray = random.standard_normal(middle.shape) * (_STRAY * best.length)
        length = best.length * 10.0 ** random.uniform(*_CHANGE, _PAIRS)
        best = best.improved(
            _look(network, norms, best.middle + stray, best.uphill, length)
        )
    # NaN last.
    order = np.argsort(-best.values)[:_PROVED]
    X, Y = (end[:, order] for end in best.ends())
    return float(secants(network, norms, X, Y).max(initial=0.0))


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def secants(network: Network, norms: NormPair, X: Array, Y: Array) -> Array:
    """Return proved lower bounds of ``||f(x) - f(y)|| / ||x - y||``.

    Parameters
    ----------
    network : Network
        The network f.
    norms : NormPair
        In which to measure.
    X, Y : array (n_0, r)
        Pairs of inputs, used exactly as they are.

    Returns
    -------
    array (r,)
        0 where rounding leaves nothing certain.
    """
    one, other = evaluated(network, X)[-1], evaluated(network, Y)[-1]
    V = one.value - other.value
    E = (one.radius + other.radius + 2 * UNIT * np.abs(V)) * (1 + 8 * UNIT)
    # The difference of the inputs is rounded, too.
    distances = largest_norm(norms.input, X - Y) * (1 + 4 * UNIT)
    bounds = least_norm(norms.output, V, E) / distances * (1 - 4 * UNIT)
    # Below, the divisions themselves might underflow.
    certain = np.isfinite(bounds) & (bounds > 2.0**-900) & (distances > 2.0**-900)
    return np.where(certain, bounds, 0.0)


@dataclass(frozen=True, eq=False)
class _State:
    """Pairs, one a column, by their middle (n, r), unit direction and length (r,).

    ``uphill`` (n, r) are the directions in which the outputs would move fastest.
    """

    middle: Array
    along: Array
    length: Array
    values: Array
    uphill: Array

    def ends(self) -> tuple[Array, Array]:
        """Return both inputs of every pair."""
        half = self.along * (self.length / 2)
        return self.middle + half, self.middle - half

    def improved(self, tried: "_State") -> "_State":
        """Return the better pair in every column."""
        better = tried.values >= self.values
        pairs = ((getattr(tried, f.name), getattr(self, f.name)) for f in fields(self))
        return _State(*(np.where(better, new, old) for new, old in pairs))


def _look(
    network: Network, norms: NormPair, middle: Array, along: Array, length: Array
) -> _State:
    sectors = network.sectors()
    state = _State(middle, along, length, np.zeros_like(length), along)
    X, Y = state.ends()
    V = network.preactivations(X)[-1] - network.preactivations(Y)[-1]
    F = norms.output.dual_aligned(V)
    gradients = [sectors.adjoint_jacobian(network.slopes(end), F) for end in (X, Y)]
    uphill = norms.input.aligned(gradients[0] + gradients[1])
    return _State(middle, along, length, norms.output.of(V) / length, uphill)
