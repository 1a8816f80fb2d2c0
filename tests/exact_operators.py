"""The matrices of linear operators in fractions, from the stored numbers alone."""

from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

from geolip.arrays import Array
from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    LinearOperator,
    Sparse,
    Sum,
    TransposedConvolution,
)

Matrix: TypeAlias = NDArray[Any]


def exact(numbers: np.ndarray) -> Matrix:
    """Return an array of floats as an array of exact fractions."""
    numbers = np.asarray(numbers, dtype=float)
    return np.frompyfunc(Fraction, 1, 1)(numbers)


def operator_matrix(operator: LinearOperator) -> Matrix:
    """Return the matrix of an operator whose stored numbers are exact."""
    match operator:
        case Composition():
            product = operator_matrix(operator.factors[0])
            for factor in operator.factors[1:]:
                product = product @ operator_matrix(factor)
            return product
        case Sum():
            return sum(operator_matrix(term) for term in operator.terms)
        case Dense():
            inner = np.kron(operator.matrix, np.eye(operator.inner))
            return exact(np.kron(np.eye(operator.outer), inner))
        case Sparse():
            return exact(operator.matrix.toarray())
        case Convolution():
            return exact(correlated(operator, np.eye(operator.shape[1])))
        case TransposedConvolution():
            return operator_matrix(operator.convolution).T
    raise AssertionError(operator)


def correlated(conv: Convolution, X: Array) -> Array:
    """Return the convolution of every column by SciPy, channel by channel."""
    c_out, depth = conv.kernel.shape[:2]
    c_in = depth * conv.groups
    spread = [(k - 1) * d + 1 for k, d in zip(conv.taps, conv.dilations, strict=True)]
    kernel = np.zeros((c_out, depth, *spread))
    kernel[(..., *(slice(None, None, d) for d in conv.dilations))] = conv.kernel
    steps = tuple(slice(None, None, s) for s in conv.strides)
    results = []
    for x in X.T:
        tensor = np.pad(
            x.reshape(conv.batch, c_in, *conv.space), [(0, 0), (0, 0), *conv.pads]
        )
        images = []
        for image in tensor:
            for o in range(c_out):
                first = o // (c_out // conv.groups) * depth
                channels = [
                    correlate(image[first + i], kernel[o, i], "valid", "direct")[steps]
                    for i in range(depth)
                ]
                images.append(sum(channels))
        results.append(np.stack(images).ravel())
    return np.stack(results, axis=1)
