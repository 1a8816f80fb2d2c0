"""GeoLIP's natural relaxation: one layer of neurons, one output, no SDP solver.

With slopes ``c + h r``, ``|r_i| <= 1``, a gradient is ``W'(c o w) + W'(h o w o r)``. So
the formal constant is a norm of the matrix N with a column ``w_i h_i W_i`` for each
neuron and a last one that adds up all ``w_i c_i W_i``,

    max |N r| over r in {-1, 1}^(n+1), |.| the dual norm of the input's.

Its relaxation has a unit vector V_i for each column and a lifted unit point U of the
inputs, and maximises <U, N V>. Doing so with one of the two fixed ends in a fixed
point, and there ``beta_i = |(N'U)_i|`` are dual variables of the columns. Eliminating
the neurons of `geolip.problem` shows that ``d_i = w_i^2 / (2 beta_i)`` are then
multipliers of the general relaxation, to which the natural one is equal.

Source: Wang, Prakriya, Jha, NeurIPS 2022 (arXiv 2203.01212), natural program; the
iteration is block coordinate ascent on its factorised form (Burer and Monteiro, Math.
Programming 95, 2003).
"""

import math
import time

import numpy as np

from geolip.arrays import Array, row_norms
from geolip.backend import Judge, Settings, Solution, Status
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.sectors import SectorNetwork

_RANK = 24
_MAX_ITERATIONS = 20_000
_FIRST_CHECKPOINT = 10


def usable() -> str | None:
    """Return None: this solver needs nothing but NumPy."""
    return None


def refusal(network: SectorNetwork) -> str | None:
    """Return None, or why a network without dead parts has no natural relaxation."""
    if len(network.blocks) == 1 and set(network.output.terms) <= {1}:
        return None
    return "takes one layer of neurons between two linear maps"


def solve(problem: Problem, settings: Settings, judge: Judge) -> Solution:
    """Iterate until the verified gap is small enough, time is up, or it stalls."""
    limit = math.inf if settings.time_limit is None else settings.time_limit
    deadline = time.monotonic() + limit
    norm = problem.norm
    w = problem.output()[1][:, 0]
    N = _columns(problem, w)
    V = np.random.default_rng(settings.seed).standard_normal((N.shape[1], _RANK))
    V /= row_norms(V)
    status, checkpoint, last = Status.ITERATION_LIMIT, _FIRST_CHECKPOINT, 0.0
    for iteration in range(1, _MAX_ITERATIONS + 1):
        moves = N @ V
        pulls = N.T @ norm.lifted_aligned(moves)
        beta = row_norms(pulls)
        V = pulls / np.where(beta > 0, beta, 1.0)
        late = time.monotonic() > deadline
        if iteration < checkpoint and not late:
            continue
        checkpoint *= 2
        value = float(beta.sum())
        # A neuron that nothing pulls needs hardly any multiplier: repair finds one.
        d = np.divide(w**2, 2.0 * beta[:-1, 0], where=beta[:-1, 0] > 0, out=0.0 * w)
        found = Multipliers(norm.multipliers(moves), (d,))
        judge.consider(found, value, iteration)
        if judge.satisfied or late or value <= last * (1 + 1e-14):
            status = Status.TIME_LIMIT if late else Status.STALLED
            status = Status.SOLVED if judge.satisfied else status
            break
        last = value
    return Solution(status, found, value, iteration)


def _columns(problem: Problem, w: Array) -> Array:
    """Return N (inputs, neurons + 1)."""
    (block,) = problem.network.blocks
    W = block.preactivation.terms[0].dense()
    centre, half = (block.lower + block.upper) / 2, (block.upper - block.lower) / 2
    return np.column_stack([W.T * (half * w), W.T @ (centre * w)])
