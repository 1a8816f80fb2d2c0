"""Independent computations that the package is checked against.

Dense NumPy only, from the operators' matrices: nothing here calls the package's own
forward and adjoint passes, solvers or bounds.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise, product

import numpy as np

from geolip.arrays import Array
from geolip.norms import NormPair
from geolip.sectors import SectorNetwork

_BATCH = 512
ORDERS = {"1": 1, "2": 2, "inf": np.inf}
PAIRS = [f"{given}:{measured}" for given in ORDERS for measured in ORDERS]


def matrix_norms(J: Array, pair: NormPair) -> Array:
    """Return the exact operator norms of the matrices ``J`` (p, m, n)."""
    match pair.input.name, pair.output.name:
        case "2", "2":
            return np.linalg.norm(J, ord=2, axis=(1, 2))
        case "1", measured:
            # A convex function is largest at a corner of the ball.
            return np.linalg.norm(J, ord=ORDERS[measured], axis=1).max(axis=1)
        case "inf", measured:
            images = J @ _corners(J.shape[2])
            return np.linalg.norm(images, ord=ORDERS[measured], axis=1).max(axis=1)
        case "2", measured:
            # The transposed matrix, between the dual norms.
            dual = {"inf": np.eye, "1": _corners}[measured](J.shape[1])
            images = J.transpose(0, 2, 1) @ dual
            return np.linalg.norm(images, axis=1).max(axis=1)
    raise AssertionError(pair)


def _corners(size: int) -> Array:
    return np.array(list(product([-1.0, 1.0], repeat=size))).T


def jacobians(network: SectorNetwork, slopes: Sequence[Array]) -> Array:
    """Return the Jacobians (p, m, n) for slopes (p, n_k) of every block."""
    count = len(slopes[0]) if slopes else 1
    size = network.input_size
    values = [np.broadcast_to(np.eye(size), (count, size, size))]
    for block, s in zip(network.blocks, slopes, strict=True):
        z = np.zeros((count, block.size, size))
        for j, operator in block.preactivation.terms.items():
            z = z + operator.dense() @ values[j]
        values.append(s[:, :, None] * z)
    output = np.zeros((count, network.output.size, size))
    for j, operator in network.output.terms.items():
        output = output + operator.dense() @ values[j]
    return output


def formal_constant(network: SectorNetwork, pair: NormPair) -> float:
    """Return the FGL by brute force over all slope patterns."""
    lower = np.concatenate([[], *(block.lower for block in network.blocks)])
    upper = np.concatenate([[], *(block.upper for block in network.blocks)])
    cuts = np.cumsum([block.size for block in network.blocks])[:-1]
    codes = np.arange(2 ** len(lower))
    best = 0.0
    for start in range(0, len(codes), _BATCH):
        batch = codes[start : start + _BATCH]
        bits = (batch[:, None] >> np.arange(len(lower))) & 1
        pattern = np.where(bits, upper, lower)
        slopes = np.split(pattern, cuts, axis=1) if network.blocks else []
        J = jacobians(network, slopes)
        best = max(best, float(matrix_norms(J, pair).max()))
    return best


def chain_weights(network: SectorNetwork) -> list[Array]:
    """Return the weight matrices of a network that is a chain."""
    weights = []
    maps = [*(block.preactivation for block in network.blocks), network.output]
    for k, reading in enumerate(maps):
        assert list(reading.terms) == [k]
        weights.append(reading.terms[k].dense())
    return weights


def product_between(weights: Sequence[Array], first: int, last: int) -> Array:
    """Return ``W_last .. W_{first+1}``, layers counted from one."""
    result = np.eye(weights[first].shape[1])
    for W in weights[first:last]:
        result = W @ result
    return result


def k4(weights: Sequence[Array]) -> float:
    """Return K_4 for one output and l_inf inputs, sectors [0, 1]."""
    sums = [np.eye(weights[0].shape[1])]
    for m in range(1, len(weights) + 1):
        sums.append(
            sum(np.abs(product_between(weights, k, m)) @ sums[k] for k in range(m))
        )
    return float(sums[-1].sum(axis=1).max()) / 2 ** (len(weights) - 1)


def k3(weights: Sequence[Array]) -> float:
    """Return K_3, the norm of the product of absolute values, l_inf."""
    result = np.eye(weights[0].shape[1])
    for W in weights:
        result = np.abs(W) @ result
    return float(result.sum(axis=1).max())


def k1(weights: Sequence[Array], order: float) -> float:
    """Return K_1 of Combettes and Pesquet by its definition, for l_1, l_2 or l_inf."""
    depth = len(weights)
    total = 0.0
    for count in range(depth):
        for cuts in combinations(range(1, depth), count):
            ends = [0, *cuts, depth]
            norms = [
                np.linalg.norm(product_between(weights, a, b), order)
                for a, b in pairwise(ends)
            ]
            total += float(np.prod(norms))
    return total / 2 ** (depth - 1)


def product_of_norms(weights: Sequence[Array], order: float) -> float:
    """Return the norm product of a chain."""
    return float(np.prod([np.linalg.norm(W, order) for W in weights]))
