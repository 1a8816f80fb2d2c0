"""Multipliers of a chain of layers in one pass from the input, in l_2.

With tau = 1, eliminating the blocks of B(tau, D) from the input on leaves the Schur
complements

    Q_l = S_{l-1} + 2 W_l' D_l AB_l W_l,      S_0 = I,
    S_l = 2 D_l - D_l (A + B)_l W_l Q_l^-1 W_l' (A + B)_l D_l,

with A, B the diagonal matrices of the sectors' ends. If all are positive definite, so
is B(tau, D), and ``C B^-1 C' = W_L S_{L-1}^-1 W_L'`` is the bound's square. Each D_l
can thus be chosen when those before it are known, from matrices of one layer's size:

* by a formula, ``D_l = I / ||X_l||`` with ``X_l = (A + B) W_l S_{l-1}^-1 W_l' (A +
  B)``, which makes the least eigenvalue of ``S_l >= 2 D_l - D_l X_l D_l`` largest among
  the multiples of the identity, if a b = 0. Otherwise that multiple is searched for.
* by a semidefinite program that makes ``||W_{l+1} S_l^-1 W_{l+1}'||`` least: it is
  LipSDP-Neuron for the two layers ``W_l S_{l-1}^(-1/2)`` and ``W_{l+1}``.

What comes out is verified like any other multipliers; here nothing is proved.

Source: ECLipsE and ECLipsE-Fast (Xu and Sivaranjani, NeurIPS 2024). The formula is
derived in docs/theory.md section 8; general sectors are ours.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy import linalg, optimize

from geolip.arrays import Array
from geolip.linear import Dense
from geolip.multipliers import Multipliers
from geolip.norms import NORMS
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

# Powers of two between which a multiple is searched for, around 1 / ||X||.
_SPAN = 12.0

Step = Callable[[Array, SectorBlock, Array, Array], Array]
"""Returns D_l (n_l,) for S_{l-1}, layer l, its matrix and that of the next."""


def multipliers(network: SectorNetwork, step: Step) -> Multipliers | None:
    """Return the multipliers of a chain, None where rounding or the step breaks down.

    Parameters
    ----------
    network : SectorNetwork
        A chain without dead neurons.
    step : callable
        `closed_form`, or one made by `sequential`.
    """
    matrices = [A.dense() for r in network.readings for A in r.terms.values()]
    S, d = np.eye(network.input_size), []
    try:
        for block, (W, after) in zip(network.blocks, pairwise(matrices), strict=True):
            d.append(step(S, block, W, after))
            S = _schur(S, block, W, d[-1])
    except (np.linalg.LinAlgError, ValueError):
        # Not definite, or not finite.
        return None
    return Multipliers(np.ones(network.input_size), tuple(d))


def closed_form(S: Array, block: SectorBlock, W: Array, after: Array) -> Array:
    """Return the multiple of the identity that ECLipsE-Fast takes."""
    del after
    scaled = (block.lower + block.upper)[:, None] * W
    largest = _largest(_squared(S, scaled))
    product = float(np.abs(block.lower * block.upper).max(initial=0.0))
    if product == 0.0:
        return np.full(block.size, 1.0 / largest)
    # Where the slopes' sum is zero, X says nothing, but a b does.
    size = max(largest, product * _largest(_squared(S, W)))

    def lost(exponent: float) -> float:
        d = np.full(block.size, 2.0**exponent / size)
        try:
            left = _schur(S, block, W, d)
        except (np.linalg.LinAlgError, ValueError):
            return 0.0
        return -float(np.linalg.eigvalsh(left)[0])

    grid = np.arange(-_SPAN, _SPAN + 1)
    start = float(grid[np.argmin([lost(exponent) for exponent in grid])])
    found = optimize.minimize_scalar(
        lost, bounds=(start - 1, start + 1), method="bounded"
    )
    best = min((start, float(found.x)), key=lost)
    return np.full(block.size, 2.0**best / size)


def sequential(solve: Callable[[Problem], Multipliers | None]) -> Step:
    """Return a step that solves LipSDP-Neuron for two layers with ``solve``."""

    def step(S: Array, block: SectorBlock, W: Array, after: Array) -> Array:
        # S = R' R, so that S^-1 = R^-1 R^-T.
        R = linalg.cholesky(S)
        inner = linalg.solve_triangular(R, W.T, trans="T").T
        layer = SectorBlock(
            LinearMap(block.size, {0: Dense(inner)}), block.lower, block.upper
        )
        output = LinearMap(len(after), {1: Dense(after)})
        found = solve(Problem(SectorNetwork(len(S), (layer,), output), NORMS["2"]))
        if found is None:
            raise np.linalg.LinAlgError
        return np.asarray(found.d[0] / found.tau.max())

    return step


def _schur(S: Array, block: SectorBlock, W: Array, d: Array) -> Array:
    """Return the next Schur complement.

    Raises
    ------
    numpy.linalg.LinAlgError
        If Q or the result is not positive definite.
    """
    square = d * block.lower * block.upper
    Q = S + 2.0 * W.T @ (square[:, None] * W) if square.any() else S
    cross = (d * (block.lower + block.upper))[:, None] * W
    result = np.diag(2.0 * d) - _squared(Q, cross)
    linalg.cholesky(result)
    return np.asarray(result)


def _squared(Q: Array, W: Array) -> Array:
    """Return W Q^-1 W'."""
    half = linalg.solve_triangular(linalg.cholesky(Q), W.T, trans="T")
    return np.asarray(half.T @ half)


def _largest(X: Array) -> float:
    largest = float(np.linalg.eigvalsh(X)[-1])
    if not largest > 0:
        raise np.linalg.LinAlgError
    return largest
