"""Valid inequalities on the lifted problem of a small ReLU chain, as plain dense SDPs.

For research: which inequalities close how much of the gap. The Gram matrix is that of e
(the number one), of the signs r of the last hidden layer (its slopes are (1 + r) / 2),
of the inputs and of the other layers' neurons divided by the most that they move, so
that all coordinates lie in [-1, 1] and any three may be corners of a triangle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cvxpy as cp
import numpy as np

from geolip.arrays import Array

# Which coordinates may be corners of triangles.
CORNERS = {
    "inputs": "x",
    "one and inputs": "ex",
    "last signs": "er",
    "signs and inputs": "erx",
    "all": "erxy",
}
_SIGNS = np.array([[1, 1, -1], [1, -1, 1], [-1, 1, 1], [-1, -1, -1]])
_LEAST_VIOLATION = 1e-3
_ROUNDS = 3


@dataclass(frozen=True)
class Found:
    """Values with and without inequalities, and the solver's seconds for each."""

    plain: float
    tight: float
    plain_seconds: float
    seconds: float


class Lifted:
    """The lifted problem of a chain of one or two hidden ReLU layers, one output."""

    def __init__(self, weights: Sequence[Array], magnitudes: Array | None) -> None:
        *inner, last, output = weights
        n, m = weights[0].shape[1], len(last)
        hidden = len(inner[0]) if inner else 0
        self.kinds = np.array([*"e", *"r" * m, *"x" * n, *"y" * hidden])
        order = len(self.kinds)
        signs, inputs, moved = (np.nonzero(self.kinds == k)[0] for k in "rxy")
        self.gram = G = cp.Variable((order, order), symmetric=True)
        self._rules = [G >> 0] + [
            G[i, i] == 1 for i in np.nonzero(self.kinds != "y")[0]
        ]
        reads = inputs
        if inner:
            # The most that a neuron of the first layer moves is its row sum.
            scale = np.abs(inner[0]).sum(axis=1)
            first, last, reads = inner[0] / scale[:, None], last * scale, moved
            for row, y in zip(first, moved, strict=True):
                self._rules.append(G[y, y] <= row @ G[inputs, y])
            if magnitudes is not None:
                for row, most in zip(last, magnitudes, strict=True):
                    z = cp.quad_form(row, G[np.ix_(moved, moved)])
                    self._rules.append(z <= most**2)
        # y = (1 + r) z / 2.
        half = output.ravel()[:, None] * last / 2
        pull = np.zeros((order, order))
        pull[0, reads] = half.sum(axis=0)
        pull[np.ix_(signs, reads)] = half
        self._value = cp.Maximize(cp.sum(cp.multiply(pull, G)))
        self.seconds = 0.0

    def solve(self, cuts: Sequence[Any]) -> float:
        """Return the value; the solver's seconds add up."""
        problem = cp.Problem(self._value, [*self._rules, *cuts])
        problem.solve(solver="CLARABEL")
        self.seconds += problem.solver_stats.solve_time
        return float(problem.value)

    def violated(self, corners: str, most: int) -> list[Any]:
        """Return the most violated triangles among coordinates of some kinds."""
        places = [i for i, kind in enumerate(self.kinds) if kind in corners]
        triples = np.array(list(combinations(places, 3)))
        i, j, k = triples.T
        G = self.gram.value
        products = np.stack([G[i, j], G[i, k], G[j, k]], axis=1)
        excess = products @ _SIGNS.T - 1.0
        worst = np.argsort(-excess, axis=None)[:most]
        worst = worst[excess.ravel()[worst] > _LEAST_VIOLATION]
        if not len(worst):
            return []
        chosen, signs = triples[worst // 4], _SIGNS[worst % 4]
        i, j, k = chosen.T
        pairs = ((i, j), (i, k), (j, k))
        terms = [
            cp.multiply(s, self.gram[a, b])
            for s, (a, b) in zip(signs.T, pairs, strict=True)
        ]
        return [sum(terms) <= 1]


def triangles(weights: Sequence[Array], corners: str) -> Found:
    """Return what rounds of the most violated triangles gain."""
    lifted = Lifted(weights, None)
    plain = tight = lifted.solve([])
    plain_seconds, cuts = lifted.seconds, []
    for _ in range(_ROUNDS):
        fresh = lifted.violated(corners, 3 * len(lifted.kinds))
        if not fresh:
            break
        cuts += fresh
        tight = lifted.solve(cuts)
    return Found(plain, tight, plain_seconds, lifted.seconds)


def bounded(weights: Sequence[Array], magnitudes: Array) -> Found:
    """Return what the largest moves of the second layer's pre-activations gain."""
    lifted, tighter = Lifted(weights, None), Lifted(weights, magnitudes)
    plain, tight = lifted.solve([]), tighter.solve([])
    return Found(plain, tight, lifted.seconds, lifted.seconds + tighter.seconds)
