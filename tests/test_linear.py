"""What every linear operator promises, against plain matrices and exact rationals."""

import importlib
import pkgutil
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact_operators import exact, operator_matrix
from linear_examples import EXAMPLES, close, example, names

from geolip import linear
from geolip.linear import Composition, Dense, LinearOperator, Sum


def subclasses(module: Any) -> list[type]:
    """Return the operators that a module of the folder defines."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, LinearOperator)
        and value is not LinearOperator
        and value.__module__ == module.__name__
    ]


@pytest.mark.parametrize(
    "module", [module.name for module in pkgutil.iter_modules(linear.__path__)]
)
def test_every_operator_has_an_example(module: str) -> None:
    defined = subclasses(importlib.import_module(f"{linear.__name__}.{module}"))
    assert set(defined) <= {type(example(name)) for name in EXAMPLES}


@names
def test_dense_is_exact_up_to_the_roundings_it_admits(name: str) -> None:
    operator = example(name)
    error = abs(exact(operator.dense()) - operator_matrix(operator))
    unit = Fraction(operator.roundings, 2**53)
    # The majorant is itself rounded; a millionth is plenty.
    majorant = exact(operator.absolute.dense()) * Fraction(1000001)
    assert (error * 1000000 <= unit * majorant).all()


@names
def test_apply_is_the_matrix_product(name: str) -> None:
    operator, random = example(name), np.random.default_rng(1)
    X = random.standard_normal((operator.shape[1], 3))
    assert operator.dense().shape == operator.shape
    close(operator.apply(X), operator.dense() @ X)
    close(operator.apply(X[:, :1]), operator.dense() @ X[:, :1])


@names
def test_adjoint(name: str) -> None:
    operator, random = example(name), np.random.default_rng(2)
    X = random.standard_normal((operator.shape[1], 3))
    Y = random.standard_normal((operator.shape[0], 3))
    close(np.sum(operator.apply(X) * Y, axis=0), np.sum(X * operator.adjoint(Y), 0))
    close(operator.adjoint(Y), operator.dense().T @ Y)


@names
def test_operators_leave_their_arguments_alone(name: str) -> None:
    operator = example(name)
    X, Y = np.ones((operator.shape[1], 2)), np.ones((operator.shape[0], 2))
    matrix = operator.dense().copy()
    operator.apply(X)
    operator.adjoint(Y)
    assert operator.absolute.shape == operator.shape
    assert (X == 1).all()
    assert (Y == 1).all()
    assert (operator.dense() == matrix).all()


@names
def test_absolute(name: str) -> None:
    operator = example(name)
    majorant, entries = operator.absolute.dense(), np.abs(operator.dense())
    assert (majorant >= entries * (1 - 1e-12)).all()
    if not isinstance(operator, Composition | Sum):
        assert (majorant == entries).all()


def test_absolute_adds_up_what_cancels() -> None:
    W = np.array([[1.0, -2.0], [3.0, 4.0]])
    assert (Sum((Dense(W), Dense(-W))).absolute.dense() == 2 * np.abs(W)).all()
    ones = Dense(np.array([[1.0, -1.0]]))
    column = Dense(np.array([[5.0], [5.0]]))
    assert Composition((ones, column)).absolute.dense() == 10.0


@names
def test_sums_of_absolute_entries(name: str) -> None:
    operator = example(name)
    entries = np.abs(operator.dense())
    rows, columns = entries.sum(axis=1), entries.sum(axis=0)
    assert (operator.row_sums >= rows * (1 - 1e-12)).all()
    assert (operator.column_sums >= columns * (1 - 1e-12)).all()
    if not isinstance(operator, Composition | Sum):
        close(operator.row_sums, rows)
        close(operator.column_sums, columns)


@names
def test_rows_and_columns_that_are_zero_by_structure(name: str) -> None:
    operator = example(name)
    entries = np.abs(operator.dense())
    assert (operator.reading_rows >= (entries > 0).any(axis=1)).all()
    assert (operator.read_columns >= (entries > 0).any(axis=0)).all()
    nothing = operator.entrywise(np.zeros_like)
    assert not nothing.reading_rows.any()
    assert not nothing.read_columns.any()


def test_what_cancels_or_underflows_is_still_there() -> None:
    up, down = Dense(np.array([[2.0**60, 1, -(2.0**60)]])), Dense(np.ones((3, 1)))
    assert Composition((up, down)).reading_rows.all()
    small = Dense(np.array([[2.0**-600]]))
    assert Composition((small, small)).reading_rows.all()
    # Of every stretch: the factor alone, and both.
    assert Composition((small, small)).magnitude == (-1200.0, -600.0)


@names
def test_no_columns(name: str) -> None:
    operator = example(name)
    m, n = operator.shape
    assert operator.apply(np.zeros((n, 0))).shape == (m, 0)
    assert operator.adjoint(np.zeros((m, 0))).shape == (n, 0)


@names
def test_description(name: str) -> None:
    description = example(name).describe()
    assert description.strip()
    assert "\n" not in description
