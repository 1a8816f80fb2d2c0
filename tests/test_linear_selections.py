"""Selections: which matrices are one, and what absorbs them without rounding."""

import numpy as np
import pytest
from linear_examples import weights
from scipy import sparse

from geolip.linear import Dense, Sparse, compose, identity, scaling, selection


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


def test_a_repetition_is_no_selection_to_merge_from_the_right() -> None:
    # Columns of W would be added up, which rounds.
    repeat = selection([0, 0, 1], 2)
    W = Dense(np.array([[1.0, 2.0**-60, 1.0]]))
    product = compose(W, repeat)
    assert product.roundings > 0
    assert (product.dense() == W.matrix @ repeat.dense()).all()
