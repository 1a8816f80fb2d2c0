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

# Integers below this size are float64 numbers, all of them.
_INTEGERS = 2**53


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
    try:
        return relu_network(weights)
    except ValueError as error:
        raise UsageError(str(error)) from error


def relu_network(
    weights: Sequence[ArrayLike], biases: Sequence[ArrayLike | None] = ()
) -> Network:
    """Return the ReLU network of weight matrices and biases.

    Parameters
    ----------
    weights : sequence of array (n_k, n_{k-1})
        As for `from_matrices`.
    biases : sequence of array (n_k,) or None
        One a matrix, None where there is none; or no biases at all.

    Raises
    ------
    ValueError
        If they do not form a network.
    """
    if len(weights) == 0:
        raise ValueError("the list of weight matrices is empty: give at least one")
    matrices = [_matrix(W, number) for number, W in enumerate(weights)]
    for number, (before, W) in enumerate(pairwise(matrices), 1):
        if W.shape[1] != before.shape[0]:
            raise ValueError(
                f"weight matrix {number} has {W.shape[1]} columns, but matrix "
                f"{number - 1} has {before.shape[0]} rows: matrices are (out, in), "
                "first layer first"
            )
    pairs = zip(matrices, biases or [None] * len(matrices), strict=True)
    layers = [
        Affine({k: Dense(W)}, _bias(b, len(W), k), (len(W),))
        for k, (W, b) in enumerate(pairs)
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
    matrix = _reals(weights, f"weight matrix {number}")
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(
            f"weight matrix {number} has shape {matrix.shape}: expected (out, in)"
        )
    return matrix


def _bias(bias: ArrayLike | None, size: int, number: int) -> Array:
    """Return a bias; tools also store it as a row or as a column."""
    if bias is None:
        return np.zeros(size)
    vector = _reals(bias, f"bias {number}")
    if vector.shape not in ((size,), (size, 1), (1, size)):
        raise ValueError(f"bias {number} has shape {vector.shape}: expected ({size},)")
    return vector.ravel()


def _reals(values: ArrayLike, what: str) -> Array:
    """Return finite numbers as float64, none of them rounded."""
    try:
        found = np.asarray(values)
        # Also refuses what float64 does not hold: extended precision, complex, text.
        # One order of entries, so that equal weights give equal bits.
        reals = found.astype(float, order="C", casting="safe")
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{what} does not hold real numbers: {error}") from error
    if found.dtype.kind in "iu" and (np.abs(reals) >= _INTEGERS).any():
        raise ValueError(f"{what} has integers from 2^53 on: store it as float64")
    return checked(reals, what)
