"""The ReLU network of a list of weight matrices, as MATLAB tools store it."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from geolip.activations import relu
from geolip.arrays import Array
from geolip.errors import UsageError
from geolip.importer.magnitude import checked
from geolip.linear import Dense
from geolip.network import Affine, Block, Network


def from_matrices(weights: Sequence[ArrayLike]) -> Network:
    """Return the ReLU network of a list of weight matrices, without biases.

    Parameters
    ----------
    weights : sequence of array (n_k, n_{k-1})
        First layer first; a ReLU stands between each two. Entries are finite real
        numbers.

    Returns
    -------
    Network
        One block for every matrix but the last.

    Raises
    ------
    UsageError
        If there is no matrix, or one is not a finite real matrix, or does not fit the
        one before.
    """
    if len(weights) == 0:
        raise UsageError("the list of weight matrices is empty: give at least one")
    matrices = [_matrix(W, number) for number, W in enumerate(weights)]
    for number, (before, W) in enumerate(pairwise(matrices), 1):
        if W.shape[1] != before.shape[0]:
            raise UsageError(
                f"weight matrix {number} has {W.shape[1]} columns, but matrix "
                f"{number - 1} has {before.shape[0]} rows: matrices are (out, in), "
                "first layer first"
            )
    layers = [
        Affine({k: Dense(W)}, np.zeros(len(W)), (len(W),))
        for k, W in enumerate(matrices)
    ]
    hidden = tuple(
        Block(f"relu_{k}", layer, relu()) for k, layer in enumerate(layers[:-1], 1)
    )
    return Network((matrices[0].shape[1],), hidden, layers[-1])


def hash_matrices(weights: Sequence[ArrayLike]) -> str:
    """Return the sha256 of the shapes and, as little-endian float64, the entries."""
    hasher = hashlib.sha256()
    for number, W in enumerate(weights):
        matrix = _matrix(W, number)
        hasher.update(str(matrix.shape).encode())
        hasher.update(matrix.astype("<f8").tobytes())
    return hasher.hexdigest()


def _matrix(weights: ArrayLike, number: int) -> Array:
    try:
        W = np.asarray(weights)
        # Also refuses what float64 does not hold: extended precision, complex, text.
        matrix = W.astype(float, casting="safe")
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"weight matrix {number} is not a matrix of real numbers: {error}"
        ) from error
    if matrix.ndim != 2 or not matrix.size:
        raise UsageError(
            f"weight matrix {number} has shape {matrix.shape}: expected (out, in)"
        )
    try:
        return checked(matrix, f"weight matrix {number}")
    except ValueError as error:
        raise UsageError(str(error)) from error
