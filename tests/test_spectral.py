"""Proved bounds of largest eigenvalues and spectral norms against exact rationals."""

from fractions import Fraction

import numpy as np
import pytest
from exact_operators import exact
from exact_truth import is_positive_definite
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip.blocks import BlockMatrix
from geolip.rigor.definite import (
    largest_eigenvalue,
)
from geolip.rigor.rounding import UNIT
from geolip.rigor.spectral import spectral_norm

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_spectral_norms_are_upper_bounds(seed, m, n):
    """s^2 I - A A' is shown to be definite in fractions."""
    random = np.random.default_rng(seed)
    A = random.standard_normal((m, n)) * 10.0 ** random.uniform(-2, 2)
    if random.random() < 0.3:
        A[:, 0] = A[:, -1]
    bound = spectral_norm(A, np.abs(A), 0)
    assert bound is not None
    gram = exact(A) @ exact(A).T
    above = Fraction(bound) ** 2 * (1 + Fraction(1, 10**25))
    assert is_positive_definite(above * np.eye(m, dtype=int) - gram)
    assert bound <= np.linalg.norm(A, 2) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_spectral_norms_cover_what_entries_were_rounded_by(seed):
    random = np.random.default_rng(seed)
    A, roundings = random.standard_normal((3, 4)), int(random.integers(1, 4))
    # Partial results that were so much larger than what is left of them.
    absolute = 10.0 ** random.uniform(3, 9) * np.abs(A)
    U, _, V = np.linalg.svd(A)
    worst = A + roundings * UNIT * absolute * np.sign(np.outer(U[:, 0], V[0]))
    bound = spectral_norm(A, absolute, roundings)
    assert bound is None or bound >= np.linalg.norm(worst, 2) * (1 - 1e-14)


def test_a_hadamard_matrix_has_the_norm_of_its_rows():
    H = np.array([[1.0]])
    for _ in range(5):
        H = np.block([[H, H], [H, -H]])
    bound = spectral_norm(H, np.abs(H), 0)
    assert bound is not None
    assert np.sqrt(32.0) <= bound <= np.sqrt(32.0) * (1 + 1e-11)


def test_a_wrong_eigenvalue_is_no_spectral_norm(monkeypatch):
    A = np.random.default_rng(0).standard_normal((4, 6))
    truth = np.linalg.norm(A, 2)
    real = np.linalg.eigvalsh
    for factor in (0.25, 1 - 1e-6, 1 - 1e-11):
        monkeypatch.setattr(
            np.linalg, "eigvalsh", lambda matrix, f=factor: f * real(matrix)
        )
        bound = spectral_norm(A, np.abs(A), 0)
        assert bound is None or bound >= truth * (1 - 1e-15)


@pytest.mark.parametrize("failures", range(5))
def test_where_factors_fail_the_next_counts_and_in_the_end_none(failures, monkeypatch):
    half = np.random.default_rng(0).standard_normal((4, 4))
    matrix, real, asked = half @ half.T, BlockMatrix.factor, []

    def failing(self):
        asked.append(self)
        if len(asked) <= failures:
            raise np.linalg.LinAlgError
        return real(self)

    monkeypatch.setattr(BlockMatrix, "factor", failing)
    bound = largest_eigenvalue(matrix)
    truth = float(np.linalg.eigvalsh(matrix)[-1])
    if failures < 3:
        assert len(asked) == failures + 1
        assert truth <= bound <= truth * (1 + 1e-8)
    else:
        assert len(asked) == 3
        assert bound == np.inf


def test_eigenvalues_of_what_is_no_matrix_are_infinite():
    assert largest_eigenvalue(np.zeros((2, 2))) == 0.0
    for bad in (np.nan, np.inf, -np.inf):
        assert largest_eigenvalue(np.array([[1.0, bad], [bad, 1.0]])) == np.inf


@given(seeds, st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_no_eigenvalue_is_above_its_bound(seed, m):
    random = np.random.default_rng(seed)
    half = random.standard_normal((m, int(random.integers(1, 6))))
    A = half @ half.T * 10.0 ** random.uniform(-9, 9) * random.choice([-1, 1])
    above = Fraction(largest_eigenvalue(A)) * np.eye(m, dtype=int)
    symmetric = (exact(A) + exact(A).T) / 2
    assert is_positive_definite(above + exact(np.eye(m) * 1e-300) - symmetric)
