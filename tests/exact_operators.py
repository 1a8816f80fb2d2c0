"""The matrices of linear operators in fractions, from the stored numbers alone."""

from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from correlation import correlated
from numpy.typing import NDArray

from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    LinearOperator,
    Sparse,
    Sum,
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
    raise AssertionError(operator)
