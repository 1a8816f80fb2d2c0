"""Examples of every linear operator, each reading about twelve numbers."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from geolip.arrays import Array
from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    LinearOperator,
    Sparse,
    Sum,
    TransposedConvolution,
    identity,
    scaling,
    selection,
)

Random = np.random.Generator


def weights(random: Random, *shape: int) -> Array:
    """Return weights as a model stores them: float32 numbers, held in float64."""
    return random.standard_normal(shape).astype(np.float32).astype(float)


def sparse_weights(random: Random, m: int, n: int) -> Sparse:
    W = weights(random, m, n) * (random.random((m, n)) < 0.3)
    return Sparse(sparse.csr_array(W))


def convolution_1d(random: Random) -> Convolution:
    return Convolution(weights(random, 2, 2, 3), (6,), (1,), (1,), ((1, 1),))


def convolution_2d(random: Random) -> Convolution:
    kernel = weights(random, 4, 2, 2, 3)
    pads = ((0, 1), (2, 0))
    return Convolution(kernel, (4, 3), (2, 1), (1, 2), pads, groups=2, batch=2)


def transposed_convolution(random: Random) -> TransposedConvolution:
    kernel = weights(random, 4, 1, 2, 2)
    pads = ((0, 1), (1, 0))
    return TransposedConvolution(
        Convolution(kernel, (3, 3), (3, 1), (1, 1), pads, groups=2)
    )


EXAMPLES: dict[str, Callable[[Random], LinearOperator]] = {
    "dense": lambda r: Dense(weights(r, 5, 12)),
    "dense square": lambda r: Dense(weights(r, 12, 12)),
    "dense along an axis": lambda r: Dense(weights(r, 3, 3), outer=2, inner=2),
    "dense along a last axis": lambda r: Dense(weights(r, 2, 4), outer=3),
    "sparse": lambda r: sparse_weights(r, 12, 12),
    "sparse narrow": lambda r: sparse_weights(r, 3, 12),
    "identity": lambda r: identity(12),
    "permutation": lambda r: selection(r.permutation(12), 12),
    "padding": lambda r: selection([-1, 0, 4, -1, 2], 12),
    "repetition": lambda r: selection(r.integers(0, 12, 12), 12),
    "embedding": lambda r: selection(r.permutation(12)[:7], 12).transpose(),
    "scaling": lambda r: scaling(weights(r, 12)),
    "convolution 1d": convolution_1d,
    "convolution 2d": convolution_2d,
    "transposed convolution": transposed_convolution,
    "composition": lambda r: Composition((Dense(weights(r, 4, 12)), convolution_1d(r))),
    "composition of three": lambda r: Composition(
        (Dense(weights(r, 12, 9)), sparse_weights(r, 9, 12), convolution_1d(r))
    ),
    "sum": lambda r: Sum((identity(12), Dense(weights(r, 12, 12)), convolution_1d(r))),
    "composition of a sum": lambda r: Composition(
        (
            Dense(weights(r, 3, 12)),
            Sum((Dense(weights(r, 12, 12)), convolution_1d(r))),
            scaling(weights(r, 12)),
        )
    ),
    "sum of compositions": lambda r: Sum(
        (
            Composition((Dense(weights(r, 12, 12)), convolution_1d(r))),
            Composition((convolution_1d(r), Dense(weights(r, 12, 12)))),
            identity(12),
        )
    ),
}

names = pytest.mark.parametrize("name", EXAMPLES)


def example(name: str, seed: int = 0) -> LinearOperator:
    return EXAMPLES[name](np.random.default_rng(seed))


def close(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
