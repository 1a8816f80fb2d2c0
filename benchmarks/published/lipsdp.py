"""LipSDP: one linear matrix inequality for the whole network, l_2.

With A = [blkdiag(W_1, .., W_{L-1}) 0], B = [0 I] and T = diag(d), d >= 0,

    minimise rho  subject to
    [A; B]' [[-2 a b T, (a + b) T], [(a + b) T, -2 T]] [A; B]
        + blkdiag(-rho I, 0, .., 0, W_L' W_L) <= 0,

and the bound is the square root of rho. The form *neuron* has one d a neuron, *layer*
one a layer; *split* multiplies the bounds of two consecutive layers at a time. The
paper's form *network* is not a valid bound and is left out.

Source: Fazlyab, Robey, Hassani, Morari, Pappas, NeurIPS 2019 (arXiv 1906.04893),
theorem 2, and the authors' code.
"""

import math
from typing import Any

import cvxpy as cp
import numpy as np
from scipy.linalg import block_diag

from published import Chain, solve

TITLE = "LipSDP"
NORM = "2"
_SPLIT = 2


def refusal(form: str, chain: Chain) -> str | None:
    """Return None, or why the form does not take the network."""
    if form == "split" and len(chain.weights) <= _SPLIT:
        return f"splits networks of more than {_SPLIT} linear maps"
    return None


def neuron(chain: Chain, solver: str) -> float:
    """Return the value of the form with one multiplier for every neuron."""
    count = sum(len(W) for W in chain.weights[:-1])
    return _solve(chain, cp.Variable(count, nonneg=True), solver)


def layer(chain: Chain, solver: str) -> float:
    """Return the value of the form with one multiplier for every layer."""
    sizes = [len(W) for W in chain.weights[:-1]]
    tied = block_diag(*(np.ones((size, 1)) for size in sizes))
    return _solve(chain, tied @ cp.Variable(len(sizes), nonneg=True), solver)


def split(chain: Chain, solver: str) -> float:
    """Return the product of the values of every two consecutive layers."""
    value = max(abs(chain.lower), abs(chain.upper)) ** ((len(chain.weights) - 1) // 2)
    for start in range(0, len(chain.weights), _SPLIT):
        part = chain.weights[start : start + _SPLIT]
        if len(part) == 1:
            value *= float(np.linalg.norm(part[0], 2))
        else:
            value *= neuron(Chain(part, chain.lower, chain.upper), solver)
    return value


def _solve(chain: Chain, multipliers: Any, solver: str) -> float:
    *hidden, last = chain.weights
    inputs, neurons = hidden[0].shape[1], sum(len(W) for W in hidden)
    order = inputs + neurons
    A = np.hstack([block_diag(*hidden), np.zeros((neurons, len(hidden[-1])))])
    B = np.hstack([np.zeros((neurons, inputs)), np.eye(neurons)])
    T = cp.diag(multipliers)
    a, b = chain.lower, chain.upper
    cross = (a + b) * A.T @ T @ B
    sectors = -2 * a * b * A.T @ T @ A + cross + cross.T - 2 * B.T @ T @ B
    rho = cp.Variable(nonneg=True)
    first = np.diag(np.r_[np.ones(inputs), np.zeros(neurons)])
    ends = block_diag(np.zeros((order - last.shape[1],) * 2), last.T @ last)
    problem = cp.Problem(cp.Minimize(rho), [sectors - rho * first + ends << 0])
    return math.sqrt(max(solve(problem, solver), 0.0))


FORMS = {"neuron": neuron, "layer": layer, "split": split}
