"""GeoLIP: the dual program of any depth and the natural one of two layers, l_inf.

One program for every output, and the largest value decides. With w' the output's row of
the last matrix, A = [0 blkdiag(W_1, .., W_{L-1}) 0], B = [0 0 I], T = diag(d), all
multipliers not negative, the *dual* form is

    minimise zeta / 2  subject to
    [A; B]' [[0, T], [T, -2T]] [A; B] - M <= 0,

where M holds zeta - sum(gamma) in its corner, gamma on the diagonal of the inputs and
-w beside the corner in the last layer. The *natural* form, with N = [A | A 1] and
A = W_1' diag(w), is

    maximise sum_ij N_ij X_{i, n + j}  subject to  X >= 0, X_kk = 1,

and the bound half of its value.

Source: Wang, Prakriya, Jha, NeurIPS 2022 (arXiv 2203.01212), and the authors' code.
"""

import cvxpy as cp
import numpy as np
from scipy.linalg import block_diag

from published import Chain, Matrix, solve

TITLE = "GeoLIP"
NORM = "inf"


def refusal(form: str, chain: Chain) -> str | None:
    """Return None, or why the form does not take the network."""
    if (chain.lower, chain.upper) != (0.0, 1.0):
        return "takes slopes between 0 and 1"
    if form == "natural" and len(chain.weights) != 2:
        return "the natural form takes networks of two linear maps"
    return None


def dual(chain: Chain, solver: str) -> float:
    """Return the largest value of the dual program over the outputs."""
    *hidden, last = chain.weights
    return max(_dual(hidden, w, solver) for w in last)


def natural(chain: Chain, solver: str) -> float:
    """Return the largest value of the natural program over the outputs."""
    first, last = chain.weights
    return max(_natural(first, w, solver) for w in last)


def _dual(hidden: list[Matrix], w: Matrix, solver: str) -> float:
    inputs, neurons = hidden[0].shape[1], sum(len(W) for W in hidden)
    A = np.zeros((neurons, 1 + inputs + neurons))
    A[:, 1 : 1 + inputs + neurons - len(hidden[-1])] = block_diag(*hidden)
    B = np.hstack([np.zeros((neurons, 1 + inputs)), np.eye(neurons)])
    zeta = cp.Variable(nonneg=True)
    gamma = cp.Variable(inputs, nonneg=True)
    T = cp.diag(cp.Variable(neurons, nonneg=True))
    cross = A.T @ T @ B
    # The matrix M, from a matrix that picks its corner and one that places gamma.
    corner = np.zeros((len(A.T), len(A.T)))
    corner[0, 0] = 1.0
    places = np.zeros((len(A.T), inputs))
    places[1 : 1 + inputs] = np.eye(inputs)
    beside = np.zeros_like(corner)
    beside[-len(w) :, 0] = beside[0, -len(w) :] = w
    M = (zeta - cp.sum(gamma)) * corner + cp.diag(places @ gamma) - beside
    matrix = cross + cross.T - 2 * B.T @ T @ B - M
    return solve(cp.Problem(cp.Minimize(zeta / 2), [matrix << 0]), solver)


def _natural(first: Matrix, w: Matrix, solver: str) -> float:
    A = first.T * w
    N = np.column_stack([A, A.sum(axis=1)])
    inputs = len(N)
    X = cp.Variable((sum(N.shape), sum(N.shape)), PSD=True)
    objective = cp.sum(cp.multiply(N, X[:inputs, inputs:]))
    problem = cp.Problem(cp.Maximize(objective), [cp.diag(X) == 1])
    return solve(problem, solver) / 2


FORMS = {"dual": dual, "natural": natural}
