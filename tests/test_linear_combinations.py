"""Parts, products and sums of linear operators, against plain matrices."""

import numpy as np
import pytest
from linear_examples import EXAMPLES, close, example, names, weights

from geolip.linear import (
    Composition,
    Dense,
    Sparse,
    Sum,
    add,
    compose,
    identity,
    restrict,
    scaled,
    scaling,
)


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


@pytest.mark.parametrize("factors", [(-1.0, 0.0, 1.0), (0.3, 0.0, -7.0)])
@names
def test_scaled(name: str, factors: tuple[float, ...]) -> None:
    operator = example(name)
    columns = np.resize(factors, operator.shape[1])
    product = scaled(operator, columns)
    close(product.dense(), operator.dense() * columns)


def test_scaled_columns_are_a_matrix_where_that_is_exact() -> None:
    matrix = Dense(weights(np.random.default_rng(0), 4, 3))
    exact = scaled(matrix, np.array([0.0, -1.0, 1.0]))
    assert isinstance(exact, Dense)
    assert exact.roundings == 0
    assert scaled(matrix, np.array([0.0, 0.3, 1.0])).roundings > 0


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


def test_products_of_numbers_are_not_formed() -> None:
    random = np.random.default_rng(0)
    for inner in (Dense(weights(random, 12, 12)), scaling(weights(random, 12))):
        product = compose(example("dense"), inner)
        assert isinstance(product, Composition)
        assert product.roundings > 0
    twice = compose(scaling(weights(random, 12)), scaling(weights(random, 12)))
    assert isinstance(twice, Composition)
