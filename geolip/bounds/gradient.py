"""Lower bounds of the true Lipschitz constant: gradients at points of the input space.

Random points of many sizes are improved by ascent. The gradient of a piecewise linear
network does not change under a small step, so the ascent follows a smoothed one: the
slope of a neuron is taken to grow over a window around its kink. Now and then the worst
points are replaced by copies of the best. The best are proved in the end.

Source: a function's directional derivatives are at most its Lipschitz constant;
docs/theory.md section 6.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.bounds.evaluation import evaluated
from geolip.bounds.jacobian import UNIT, attained, jacobian_norms
from geolip.network import Network
from geolip.norms import NormPair
from geolip.pace import affordable
from geolip.sectors import Gradients, SectorNetwork

_POINTS = 32
_ROUNDS = 32
# So many points are proved in the end.
_PROVED = 8
# After so many rounds a quarter of the points is replaced.
_SELECTION = 4
# Shares of the steps along the smoothed ascent, and along the gradient.
_UPHILL, _ALONG = 0.8, 0.1
# Steps and windows are powers of ten of the size of a point and of pre-activations.
_STEP, _WINDOW = (-2.0, 0.5), (-1.0, 0.25)


@np.errstate(over="ignore", invalid="ignore")
def largest_gradient(
    network: Network,
    output: SectorNetwork,
    norms: NormPair,
    seed: int,
    directions: Sequence[Array] = (),
    deadline: float = math.inf,
) -> float:
    """Return a proved lower bound of the Lipschitz constant from the best point found.

    Parameters
    ----------
    network : Network
        What is evaluated.
    output : SectorNetwork
        Its differences, with the outputs and inputs that are asked about.
    norms : NormPair
        In which to measure.
    seed : int
        Of the random points.
    directions : sequence of array (n_0,)
        Input directions worth trying, at several distances.
    deadline : float
        When, by `time.monotonic`, no other round is begun. Where there is time for few
        points, they are few.
    """
    random = np.random.default_rng(seed)
    X = _starts(random, network.input_size, directions)
    count = affordable(output, _POINTS, deadline)
    if count < _POINTS:
        # The last are those along the directions.
        X = X[:, -count:]
    F = random.standard_normal((output.output.size, X.shape[1]))
    state = _look(network, output, norms, X, F, _powers(random, _WINDOW, X))
    for number in range(_ROUNDS):
        if time.monotonic() > deadline:
            break
        if number and number % _SELECTION == 0:
            state = state.selected()
        moved = state.X + _steps(random, state)
        window = _powers(random, _WINDOW, X)
        tried = _look(network, output, norms, moved, state.F, window)
        state = state.improved(tried)
    best = state.columns(state.order()[:_PROVED])
    slopes, doubts = doubtful_slopes(network, best.X)
    _, along, _ = jacobian_norms(output, slopes, norms, best.F)
    return float(attained(output, slopes, doubts, norms, along).max(initial=0.0))


@np.errstate(over="ignore", invalid="ignore")
def doubtful_slopes(network: Network, X: Array) -> tuple[list[Array], list[Array]]:
    """Return all activations' slopes, and how far the real ones may be from them.

    Where rounding leaves open on which side of a kink a neuron is, or where it is
    exactly on it, the doubt is the width of its sector. There the network still has a
    directional derivative f'(x; v) for every v, made from v by the affine maps and some
    slope of its sector at every neuron. So a bound that holds for all slopes within the
    doubts is below |f'(x; v)|, and that is at most the Lipschitz constant times |v|.

    Parameters
    ----------
    network : Network
        The network.
    X : array (n_0, r)
        Input points, used exactly as they are.

    Returns
    -------
    (list of array (n_k, r), list of array (n_k, r))
        Slopes and doubts of blocks 1..K.
    """
    slopes, doubts = [], []
    for block, z in zip(network.blocks, evaluated(network, X), strict=False):
        Z, activation = z.value, block.activation
        lower, upper = (end[:, None] for end in activation.sector(block.size))
        width = (upper - lower) * (1 + 4 * UNIT)
        steepest = np.maximum(np.abs(lower), np.abs(upper))
        doubt = np.zeros_like(Z)
        if activation.curvature:
            doubt = np.fmin(activation.curvature * z.radius, width)
            doubt = doubt + 32 * UNIT * (1 + steepest)
        for kink in activation.kinks:
            # Also where nothing can be compared.
            doubt = np.where(np.abs(Z - kink) > z.radius, doubt, width)
        slopes.append(activation.derivative(Z))
        doubts.append(doubt)
    return slopes, doubts


@dataclass(frozen=True, eq=False)
class _State:
    """Points, one a column, and what is known of the gradients there.

    F are the functionals (m, r) that the next gradients are taken of, ``along`` (n, r)
    the unit directions in which the output moves fastest, ``uphill`` (n, r) the
    directions in which the smoothed gradient grows.
    """

    X: Array
    F: Array
    values: Array
    along: Array
    uphill: Array

    def improved(self, tried: "_State") -> "_State":
        """Return the better point in every column."""
        better = tried.values >= self.values
        pairs = ((getattr(tried, f.name), getattr(self, f.name)) for f in fields(self))
        return _State(*(np.where(better, new, old) for new, old in pairs))

    def selected(self) -> "_State":
        """Return the points with the best quarter in place of the worst."""
        order = self.order()
        quarter = len(order) // 4
        order[len(order) - quarter :] = order[:quarter]
        return self.columns(order)

    def order(self) -> NDArray[np.intp]:
        """Return the columns' numbers, best first, NaN last."""
        return np.argsort(-self.values)

    def columns(self, numbers: NDArray[np.intp]) -> "_State":
        """Return some of the points."""
        return _State(*(getattr(self, f.name)[..., numbers] for f in fields(self)))


def _look(
    network: Network,
    output: SectorNetwork,
    norms: NormPair,
    X: Array,
    F: Array,
    window: Array,
) -> _State:
    """Evaluate the gradients at ``X``, smoothed over ``window`` (r,) for the ascent."""
    *points, _ = network.preactivations(X)
    slopes = [
        block.activation.derivative(Z)
        for block, Z in zip(network.blocks, points, strict=True)
    ]
    pull = Gradients(output.sizes, X.shape[1])
    output.output.add_adjoint(F, pull)
    for k in range(len(slopes), 0, -1):
        reading = output.blocks[k - 1].preactivation
        reading.add_adjoint(slopes[k - 1] * pull[k], pull)
    along = norms.input.aligned(pull[0])
    # How the derivative grows with each slope, and the slope with the pre-activation.
    moves, growth = [along], []
    for k, Z in enumerate(points):
        V = output.blocks[k].preactivation.apply(moves)
        moves.append(slopes[k] * V)
        reach = window * _size(Z)
        derivative = network.blocks[k].activation.derivative
        bend = (derivative(Z + reach) - derivative(Z - reach)) / reach
        growth.append(pull[k + 1] * V * bend)
    V = output.output.apply(moves)
    values, F = norms.output.of(V), norms.output.dual_aligned(V)
    uphill = Gradients(output.sizes, X.shape[1])
    for k in range(len(slopes), 0, -1):
        # The point moves in all coordinates, also where the difference does not.
        reading = network.blocks[k - 1].preactivation.linear
        reading.add_adjoint(growth[k - 1] + slopes[k - 1] * uphill[k], uphill)
    return _State(X, F, values, along, uphill[0])


def _steps(random: np.random.Generator, state: _State) -> Array:
    count = state.X.shape[1]
    kind = random.random(count)
    sign = np.where(random.random(count) < 0.5, -1.0, 1.0)
    uphill = kind < _UPHILL
    direction = np.where(uphill, state.uphill, state.along)
    astray = np.asarray(kind >= _UPHILL + _ALONG)
    direction[:, astray] = random.standard_normal((len(direction), int(astray.sum())))
    length = (_size(state.X, zero=0.0) + 1e-3) * _powers(random, _STEP, state.X)
    return direction * (np.where(uphill, length, sign * length) / _size(direction))


def _size(X: Array, zero: float = 1.0) -> Array:
    """Return the root mean square of every column, ``zero`` for a zero column."""
    size = np.sqrt(np.einsum("ir,ir->r", X, X) / max(len(X), 1))
    return np.where(size > 0, size, zero)


def _powers(
    random: np.random.Generator, exponents: tuple[float, float], X: Array
) -> Array:
    return np.asarray(10.0 ** random.uniform(*exponents, X.shape[1]))


def _starts(
    random: np.random.Generator, size: int, directions: Sequence[Array]
) -> Array:
    sizes = 10.0 ** random.uniform(-2, 2, _POINTS)
    points = [random.standard_normal((size, _POINTS)) * sizes]
    for direction in directions:
        far = direction[:, None] / max(np.abs(direction).max(initial=0.0), 1e-300)
        # Off the grid, where many kinks of a network with round numbers meet.
        far = far + 1e-3 * random.standard_normal((size, 4))
        points.append(far * np.array([-100.0, -1.0, 1.0, 100.0]))
    return np.concatenate(points, axis=1)
