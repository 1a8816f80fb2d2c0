"""The lifted solver: the relaxation's primal as a vector-valued forward pass.

Every input coordinate and every neuron is given a vector in R^r. With c = (a+b)/2 and
h = (b-a)/2,

    x_i in the unit ball (l_inf: unit vectors; l_2: ||X||_F = 1)
    z = A y,   y_i = c_i z_i + h_i |z_i| xi_i,   |xi_i| = 1,   maximise ||C Y||_F

so each choice of (x, xi) is a feasible point and its value a lower bound of the
relaxation's. Maximising over one block at a time, from the last to the first, needs one
adjoint pass; the same pass gives the multipliers in closed form. Nothing of size n^2 is
formed in an iteration, and convolutions stay convolutions.

Source: docs/solvers.md section 1. The factorisation X = V V' with bounded rank is Burer
and Monteiro (Math. Programming 95, 2003).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geolip.arrays import Array, row_norms
from geolip.backend import Judge, Settings, Solution, Status
from geolip.errors import SolverError, UsageError
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.sectors import Gradients

_DEFAULTS = {"rank": 24, "max_iterations": 20_000}
_FIRST_CHECKPOINT = 10
# Where the gap will probably be closed earlier, as part of a doubling.
_SOONEST = 0.25
# Share of what it reads, before any of it cancels, below which a neuron is still.
_STILL = 1e-10
_NEVER_MOVED = 1e-6
# Share of its layer's largest pre-activation above which that need not be looked at.
_SURELY_MOVES = 1e-6
# Iterations before slowness is held against the solver.
_FAIR_TRIAL = 1280


def usable() -> str | None:
    """Return None: this solver needs nothing but NumPy."""
    return None


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Iterate until the verified gap is small enough, time is up, or it stalls.

    The judge is asked after 10, 20, 40, ... iterations, since a bound costs more than
    an iteration. Options (``-S``): ``rank``, ``max_iterations``.
    """
    return run(problem, settings, judge, patience=math.inf)


def warm_up(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Find a point for another solver to start from: cheap, and it saves it a lot."""
    extra = {"max_iterations": _FAIR_TRIAL, **settings.extra}
    return run(problem, replace(settings, extra=extra), judge, patience=math.inf)


def run(
    problem: Problem,
    settings: Settings,
    judge: Judge,
    *,
    patience: float,
    far: float = 0.0,
) -> Solution:
    """Solve as `solve`, and give up where the gap closes too slowly.

    Parameters
    ----------
    problem, settings, judge
        As in `geolip.backend.Backend.solve`.
    patience : float
        How often the iterations may be doubled from here: the solver stops when the
        gap, shrinking as it did last time, would take longer than that.
    far : float
        The gap above which it may give up.
    """
    rank, max_iterations = _options(settings)
    start = time.monotonic()
    best = state = _start(problem, rank, settings.seed)
    status = Status.ITERATION_LIMIT
    iteration, checkpoint = 0, _FIRST_CHECKPOINT
    last_value, last_gap, last_iteration = 0.0, np.inf, 1
    while iteration < max_iterations:
        state = iterate(problem, state)
        iteration += 1
        if not 0 < state.value < np.inf:
            raise SolverError("the numbers leave float64's range: rescale the weights")
        if state.value >= best.value:
            best = state
        out_of_time = (
            settings.time_limit is not None
            and time.monotonic() - start > settings.time_limit
        )
        if iteration < min(checkpoint, max_iterations) and not out_of_time:
            continue
        gap = judge.consider(state.multipliers, best.value, iteration) / best.value - 1
        if judge.satisfied:
            status = Status.SOLVED
            break
        if out_of_time:
            status = Status.TIME_LIMIT
            break
        stands_still = best.value <= last_value * (1 + 1e-14)
        doublings = _doublings(
            last_gap, gap, settings.accuracy, iteration / last_iteration
        )
        if stands_still or (
            iteration >= _FAIR_TRIAL and gap > far and doublings > patience
        ):
            status = Status.STALLED
            break
        last_value, last_gap, last_iteration = best.value, gap, iteration
        checkpoint = math.ceil(iteration * 2 ** min(max(doublings, _SOONEST), 1.0))
    return Solution(
        status, state.multipliers, best.value, iteration, tuple(best.vectors)
    )


def _doublings(last: float, gap: float, accuracy: float, iterations: float) -> float:
    """Return how many more doublings of the iterations the gap will need.

    The last one was reached ``iterations`` times as late as the one before. Infinite
    for gaps above one: multipliers that far off say nothing of what comes.
    """
    if gap <= accuracy:
        return 0.0
    if not gap < min(last, 1.0):
        return math.inf
    return math.log(gap / accuracy) / math.log(last / gap) * math.log2(iterations)


def _options(settings: Settings) -> tuple[int, int]:
    unknown = sorted(set(settings.extra) - set(_DEFAULTS))
    if unknown:
        raise UsageError(
            f"the lifted solver has no option {', '.join(unknown)}; it knows "
            f"{', '.join(_DEFAULTS)}"
        )
    chosen = {**_DEFAULTS, **settings.extra}
    for name, value in chosen.items():
        if type(value) is not int or value < 1:
            raise UsageError(f"{name} must be a positive integer, found {value!r}")
    return chosen["rank"], chosen["max_iterations"]


@dataclass(frozen=True, eq=False)
class State:
    """A feasible primal point with the multipliers that its last update gave.

    Parameters
    ----------
    directions : list of array (n_k, r)
        xi_k for blocks 1..K.
    vectors : list of array (n_k, r)
        X, Y_1, .., Y_K.
    preactivations : list of array (n_k, r)
        Z_1, .., Z_K.
    outputs : array (m, r)
        C Y.
    """

    directions: list[Array]
    vectors: list[Array]
    preactivations: list[Array]
    outputs: Array
    multipliers: Multipliers

    @property
    def value(self) -> float:
        """The relaxation's objective ||C Y||_F at this point."""
        return float(np.linalg.norm(self.outputs))


def _start(problem: Problem, rank: int, seed: int) -> State:
    random = np.random.default_rng(seed)
    network = problem.network
    X = problem.norm.lifted_aligned(random.standard_normal((network.input_size, rank)))
    directions = [
        _unit_rows(random.standard_normal((block.size, rank)))
        for block in network.blocks
    ]
    nothing = Multipliers(
        np.zeros(network.input_size), tuple(np.zeros(b.size) for b in network.blocks)
    )
    return _forward(problem, X, directions, nothing)


def _forward(
    problem: Problem, X: Array, directions: list[Array], multipliers: Multipliers
) -> State:
    vectors, preactivations = [X], []
    for block, xi in zip(problem.network.blocks, directions, strict=True):
        Z = block.preactivation.apply(vectors)
        preactivations.append(Z)
        vectors.append(_neurons(block.lower, block.upper, Z, xi))
    outputs = problem.network.output.apply(vectors)
    return State(directions, vectors, preactivations, outputs, multipliers)


def resumed(
    problem: Problem, vectors: Sequence[Array], multipliers: Multipliers
) -> State:
    """Return the state of which a solution holds the vectors."""
    directions = []
    for k, block in enumerate(problem.network.blocks, 1):
        Z = block.preactivation.apply(vectors)
        centre = (block.lower + block.upper)[:, None] / 2
        off = vectors[k] - centre * Z
        length = row_norms(off)
        moves = length > 0
        unit = np.eye(1, off.shape[1])
        directions.append(np.where(moves, off / np.where(moves, length, 1.0), unit))
    return _forward(problem, vectors[0], directions, multipliers)


def iterate(problem: Problem, state: State) -> State:
    """Improve every block in turn, last to first, then evaluate the new point.

    Triangles of the state's multipliers keep their weights.
    """
    network = problem.network
    gradients = Gradients(network.sizes, state.outputs.shape[1])
    value = state.value
    objective = state.outputs / value if value > 0 else np.ones_like(state.outputs)
    network.output.add_adjoint(objective, gradients)
    directions = list(state.directions)
    d: list[Array] = [np.zeros(0)] * len(network.blocks)
    for k in range(len(network.blocks), 0, -1):
        block, G, Z = network.blocks[k - 1], gradients[k], state.preactivations[k - 1]
        pull, reach = row_norms(G), row_norms(Z)
        xi = np.where(pull > 0, G / np.where(pull > 0, pull, 1.0), directions[k - 1])
        directions[k - 1] = xi
        # Where a neuron's readings cancel, both ends of the quotient are rounding: it
        # keeps the multiplier that it had when it last moved. One that never did gets a
        # large one, but not so large that rounding swallows the others.
        scale = reach
        if reach.min(initial=np.inf) <= _SURELY_MOVES * reach.max(initial=0.0):
            lengths = [row_norms(vectors) for vectors in state.vectors]
            scale = block.preactivation.absolute.apply(lengths)
            # Nothing it reads moves: any positive size will do.
            scale = np.where(scale > 0, scale, float(reach.max(initial=0.0)) or 1.0)
        moves = reach > _STILL * scale
        width = (block.upper - block.lower)[:, None]
        fresh = pull / (width * np.where(moves, reach, _NEVER_MOVED * scale))
        last = state.multipliers.d[k - 1][:, None]
        weight = np.where(moves | (last == 0), fresh, last)
        d[k - 1] = weight[:, 0]
        Y = _neurons(block.lower, block.upper, Z, xi)
        total = (block.lower + block.upper)[:, None]
        product = (block.lower * block.upper)[:, None]
        block.preactivation.add_adjoint(
            weight * (total * Y - 2 * product * Z), gradients
        )
    pull, triangles = gradients[0], state.multipliers.triangles
    tau = problem.norm.multipliers(pull)
    if triangles:
        # Convex in X, so that the point of largest linearisation is an improvement.
        pull = pull + triangles.pull(state.vectors[0])
        tau = problem.norm.multipliers(pull) - triangles.loads()
    X = problem.norm.lifted_aligned(pull)
    return _forward(problem, X, directions, Multipliers(tau, tuple(d), triangles))


def _neurons(lower: Array, upper: Array, Z: Array, xi: Array) -> Array:
    centre = (lower + upper)[:, None] / 2
    half = (upper - lower)[:, None] / 2
    return centre * Z + half * row_norms(Z) * xi


def _unit_rows(V: Array) -> Array:
    return V / row_norms(V)
