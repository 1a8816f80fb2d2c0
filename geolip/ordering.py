"""Which pieces to bound first: those that probably have the largest constants.

What comes later need only be shown to be smaller. Nothing rests on the order.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from geolip import presolve
from geolip.arrays import Array
from geolip.backend import Judge, Settings, Solution, get
from geolip.norms import NormPair
from geolip.problem import Problem
from geolip.sectors import SectorNetwork
from geolip.target import Target

# Iterations of the lifted solver that show about where a bound will be, and the share
# of a time limit that they may take.
_GLANCE, _SHARE = 20, 0.1


def ordered(targets: Sequence[Target], settings: Settings) -> list[Target]:
    """Return the targets in the order in which to bound them."""
    if len(targets) < 2:
        return list(targets)
    try:
        sizes = _sizes(targets, settings)
    except Exception:
        # Only the order is lost.
        return list(targets)
    return [targets[i] for i in np.argsort(-sizes, kind="stable")]


def glance(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Return what a few iterations find, much tighter than the norm product."""
    limit = settings.time_limit
    share = None if limit is None else _SHARE * limit
    few = replace(settings, time_limit=share, extra={"max_iterations": _GLANCE})
    return get("lifted").solve(problem, few, judge)


def _sizes(targets: Sequence[Target], settings: Settings) -> Array:
    """Return about how far each target moves."""
    network, norms = targets[0].sectors, targets[0].norms
    # The whole has no others beside it.
    indices = np.array([target.index or 0 for target in targets])
    if norms.columnwise:
        return np.take(_of_inputs(network, norms), indices % network.input_size)
    chosen = np.isin(np.arange(network.output.size), indices)
    sizes = np.zeros(network.output.size)
    sizes[chosen] = _of_outputs(network.rows(chosen), norms, settings)
    return np.take(sizes, indices)


def _of_outputs(network: SectorNetwork, norms: NormPair, settings: Settings) -> Array:
    """Return about how far each output moves: a few iterations on all together."""
    reduced = presolve.reduce(network).network
    problem = Problem(reduced, norms.input)
    vectors = glance(problem, settings, _Indifferent()).vectors
    moves = reduced.output.apply(vectors or ())
    return np.asarray(np.linalg.norm(moves, axis=1))


def _of_inputs(network: SectorNetwork, norms: NormPair) -> Array:
    """Return how far each input alone moves the output halfway up all slopes."""
    middle = [(b.lower[:, None] + b.upper[:, None]) / 2 for b in network.blocks]
    gradients = network.adjoint_jacobian(middle, np.eye(network.output.size))
    return norms.output.of(gradients.T)


class _Indifferent:
    """A judge for runs whose multipliers nobody needs."""

    satisfied = False

    def consider(self, *_: object, **__: object) -> float:
        """Ignore a candidate."""
        return np.inf
