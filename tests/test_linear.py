"""Linear operators against plain matrices, exact rationals and SciPy's correlation."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact_operators import correlated, exact, operator_matrix
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.linalg import block_diag

from geolip import linear
from geolip.arrays import Array
from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    LinearOperator,
    Sparse,
    Sum,
    add,
    compose,
    identity,
    restrict,
    scaling,
    selection,
)

Random = np.random.Generator


# Examples ---------------------------------------------------------------------------


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


def close(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


# The contract -----------------------------------------------------------------------


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


# Combinations -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@names
def test_restrict(name: str, seed: int) -> None:
    operator, random = example(name), np.random.default_rng(seed)
    m, n = operator.shape
    rows, columns = random.random(m) < 0.6, random.random(n) < 0.6
    close(restrict(operator, rows, columns).dense(), operator.dense()[rows][:, columns])


@names
def test_restrict_to_everything_changes_nothing(name: str) -> None:
    operator = example(name)
    every = [np.ones(size, dtype=bool) for size in operator.shape]
    assert restrict(operator, *every) is operator


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("columns", [True, False])
@names
def test_restrict_to_nothing(name: str, rows: bool, columns: bool) -> None:
    operator = example(name)
    m, n = operator.shape
    part = restrict(operator, np.full(m, rows), np.full(n, columns))
    expected = operator.dense()[: m * rows, : n * columns]
    close(part.dense(), expected)
    assert (part.row_sums >= np.abs(expected).sum(axis=1) * (1 - 1e-12)).all()
    assert (part.column_sums >= np.abs(expected).sum(axis=0) * (1 - 1e-12)).all()


@names
def test_compose(name: str) -> None:
    outer = example(name)
    for other in EXAMPLES:
        inner = example(other, seed=1)
        if inner.shape[0] == outer.shape[1]:
            product = compose(outer, inner)
            assert product.shape == (outer.shape[0], inner.shape[1])
            close(product.dense(), outer.dense() @ inner.dense())


@names
def test_add(name: str) -> None:
    left = example(name)
    for other in EXAMPLES:
        right = example(other, seed=1)
        if right.shape == left.shape:
            close(add(left, right).dense(), left.dense() + right.dense())


def test_sums_are_flat() -> None:
    one = identity(2)
    total = add(add(one, one), add(one, one))
    assert isinstance(total, Sum)
    assert total.terms == (one,) * 4


@names
def test_composing_with_an_identity_changes_nothing(name: str) -> None:
    operator = example(name)
    if isinstance(operator, Sparse) and operator.is_identity:
        return
    m, n = operator.shape
    left, right = compose(identity(m), operator), compose(operator, identity(n))
    assert (left.dense() == operator.dense()).all()
    assert (right.dense() == operator.dense()).all()
    assert left.roundings == right.roundings == operator.roundings


def test_selections_are_absorbed_without_rounding() -> None:
    random = np.random.default_rng(0)
    W = weights(random, 6, 6)
    index = random.permutation(6)[:4]
    rows = compose(selection(index, 6), Dense(W))
    assert isinstance(rows, Dense)
    assert (rows.matrix == W[index]).all()
    columns = compose(Dense(W), selection(index, 6).transpose())
    assert isinstance(columns, Dense)
    assert (columns.matrix == W[:, index]).all()
    both = compose(selection(index, 6), scaling(W[0]))
    assert isinstance(both, Sparse)
    assert (both.dense() == np.diag(W[0])[index]).all()
    assert rows.roundings == columns.roundings == both.roundings == 0


def test_products_of_numbers_are_not_formed() -> None:
    random = np.random.default_rng(0)
    for inner in (Dense(weights(random, 12, 12)), scaling(weights(random, 12))):
        product = compose(example("dense"), inner)
        assert isinstance(product, Composition)
        assert product.roundings > 0
    twice = compose(scaling(weights(random, 12)), scaling(weights(random, 12)))
    assert isinstance(twice, Composition)


def test_a_repetition_is_no_selection_to_merge_from_the_right() -> None:
    # Columns of W would be added up, which rounds.
    repeat = selection([0, 0, 1], 2)
    W = Dense(np.array([[1.0, 2.0**-60, 1.0]]))
    product = compose(W, repeat)
    assert product.roundings > 0
    assert (product.dense() == W.matrix @ repeat.dense()).all()


# Selections -------------------------------------------------------------------------


def test_selection() -> None:
    expected = [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert selection([2, 0, -1], 4).dense().tolist() == expected
    assert selection([], 4).dense().shape == (0, 4)


@pytest.mark.parametrize(
    ("operator", "is_selection", "is_identity"),
    [
        (identity(3), True, True),
        (identity(0), True, True),
        (scaling(np.ones(3)), True, True),
        (selection([0, 1, 2], 3), True, True),
        (selection([1, 0, 2], 3), True, False),
        (selection([0, 1], 3), True, False),
        (selection([0, 1], 3).transpose(), True, False),
        (selection([0, -1, 1], 2), True, False),
        (selection([0, -1], 2), True, False),
        (selection([-1, -1], 2), True, False),
        (selection([0, 0], 2), False, False),
        (selection([0, 0], 1), False, False),
        (selection([0, 0], 1).transpose(), False, False),
        (scaling(np.array([1.0, 2.0])), False, False),
        (scaling(np.array([1.0, -1.0])), False, False),
        (Sparse(sparse.csr_array(np.ones((1, 2)))), False, False),
    ],
    ids=lambda value: "" if isinstance(value, bool) else None,
)
def test_kinds_of_sparse_matrices(
    operator: Sparse, is_selection: bool, is_identity: bool
) -> None:
    assert operator.is_selection is is_selection
    assert operator.is_identity is is_identity


# Convolution ------------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """How a convolution goes along one axis."""

    taps: int
    stride: int
    dilation: int
    before: int
    after: int
    size: int


@st.composite
def axes(draw: st.DrawFn, most: int) -> Axis:
    taps, stride, dilation = draw(st.tuples(*[st.integers(1, 3)] * 3))
    before, after = draw(st.tuples(*[st.integers(0, 2)] * 2))
    least = max(dilation * (taps - 1) + 1 - before - after, 1)
    size = draw(st.integers(least, least + most))
    return Axis(taps, stride, dilation, before, after, size)


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    dimensions = draw(st.integers(1, 3))
    along = [draw(axes({1: 5, 2: 3, 3: 1}[dimensions])) for _ in range(dimensions)]
    groups, per_input, per_output, batch = draw(st.tuples(*[st.integers(1, 2)] * 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    taps = [axis.taps for axis in along]
    return Convolution(
        random.standard_normal((groups * per_output, per_input, *taps)),
        tuple(axis.size for axis in along),
        tuple(axis.stride for axis in along),
        tuple(axis.dilation for axis in along),
        tuple((axis.before, axis.after) for axis in along),
        groups,
        batch,
    )


@settings(deadline=None, max_examples=80)
@given(convolutions(), st.integers(0, 2**32 - 1))
def test_convolution(conv: Convolution, seed: int) -> None:
    random = np.random.default_rng(seed)
    X = random.standard_normal((conv.shape[1], 2))
    Y = random.standard_normal((conv.shape[0], 2))
    expected = correlated(conv, X)
    close(conv.apply(X), expected)
    close(np.sum(expected * Y, axis=0), np.sum(X * conv.adjoint(Y), axis=0))
    matrix = conv.dense()
    close(matrix @ X, expected)
    close(conv.row_sums, np.abs(matrix).sum(axis=1))
    close(conv.column_sums, np.abs(matrix).sum(axis=0))
    assert (conv.absolute.dense() == np.abs(matrix)).all()


def test_dense_convolution_holds_the_weights_themselves() -> None:
    conv = convolution_1d(np.random.default_rng(0))
    assert set(conv.dense().ravel()) == {0.0, *conv.kernel.ravel()}


def test_batch_repeats_a_convolution() -> None:
    one = Convolution(np.ones((1, 1, 2)), (4,), (1,), (1,), ((0, 0),))
    two = Convolution(np.ones((1, 1, 2)), (4,), (1,), (1,), ((0, 0),), batch=2)
    assert (two.dense() == block_diag(one.dense(), one.dense())).all()
