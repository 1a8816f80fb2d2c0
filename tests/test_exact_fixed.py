"""Fixed-point numbers and their products, against fractions."""

from fractions import Fraction

import numpy as np
import pytest
from exact_operators import exact
from exact_truth import value
from generators import wide
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip.errors import RefusedCertificateError
from geolip.exact import fixed as fixed_module
from geolip.exact import products
from geolip.exact.fixed import TINY, Fixed, fixed, total

seeds = st.integers(0, 2**32 - 1)


def within(matrix: Fixed, truth: np.ndarray) -> bool:
    """Return whether the real matrix is within the stated error, exactly."""
    error = exact(np.broadcast_to(matrix.error, matrix.shape))
    return bool((abs(value(matrix) - truth) <= error).all())


@given(seeds, st.integers(1, 6))
@settings(deadline=None)
def test_fixed_point_numbers_are_within_their_error(seed, digits):
    random = np.random.default_rng(seed)
    parts = [wide(random, 3, 2) for _ in range(random.integers(1, 4))]
    result = fixed(parts, digits)
    assert within(result, sum(exact(part) for part in parts))
    assert result.error.max() <= 3 * 2.0 ** (-21 * digits)
    assert all(np.abs(d).max() <= 2**20 for d in result.digits[1:])


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_operations_carry_values_and_errors(seed):
    random = np.random.default_rng(seed)
    m, n, p = (int(k) for k in random.integers(1, 6, 3))
    real = [wide(random, m, n), wide(random, p, n), wide(random, m, n)]
    row = wide(random, 1, n)

    def known(numbers: np.ndarray) -> Fixed:
        # Off the truth by up to what it says.
        error = np.abs(numbers) * 2.0 ** -random.integers(5, 30)
        moved = numbers + error * random.uniform(-1, 1, numbers.shape)
        return fixed([moved], int(random.integers(2, 6)), error)

    A, B, D = (known(numbers) for numbers in real)
    r = known(row)
    a, b, d = (exact(numbers) for numbers in real)
    assert within(A.times(B), a @ b.T)
    assert within(A.times(A), a @ a.T)
    assert within(total([A, D, -A]), a + d - a)
    assert within(A.transposed(), a.T)
    assert within(A.scaled_columns(r), a * exact(row))
    assert within(r.scaled_columns(r), exact(row) ** 2)
    sums = A.row_sums()
    assert within(sums, abs(value(A)).sum(axis=1)[:, None])
    assert sums.largest() >= abs(a).sum(axis=1).max()
    assert A.largest() >= a.max()
    assert A.square_sum() >= (a**2).sum()
    squares = ((abs(value(A)) + exact(np.broadcast_to(A.error, A.shape))) ** 2).sum()
    assert (
        squares <= A.rough_square_sum() <= squares * Fraction(1 + 1e-5) + Fraction(TINY)
    )


@pytest.mark.parametrize("size", [2.0**-600, TINY, 2.0**-1074])
def test_a_rough_square_sum_counts_what_underflows(size):
    with np.errstate(all="raise"):
        rough = Fixed((np.zeros((2, 2)),), np.full((2, 2), size)).rough_square_sum()
    assert 4 * Fraction(size) ** 2 <= rough <= Fraction(TINY)


def test_the_square_sum_of_nothing_is_zero():
    assert Fixed((np.zeros((2, 2)),)).rough_square_sum() == 0


def test_operations_leave_their_operands_alone():
    random = np.random.default_rng(0)
    A, B = fixed([wide(random, 4, 4)], 3), fixed([wide(random, 4, 4)], 5)
    r = fixed([wide(random, 1, 4)], 4)
    before = [[d.copy() for d in M.digits] for M in (A, B, r)]
    for _ in range(2):
        total([A, B, -A])
        A.times(B), A.times(A), A.scaled_columns(r), A.row_sums()
    after = [M.digits for M in (A, B, r)]
    for old, new in zip(before, after, strict=True):
        assert all((x == y).all() for x, y in zip(old, new, strict=True))


def test_long_products_are_summed_in_halves(monkeypatch):
    random = np.random.default_rng(1)
    A, B = fixed([wide(random, 3, 9)], 3), fixed([wide(random, 2, 9)], 2)
    expected = value(A) @ value(B).T, value(A) @ value(A).T
    monkeypatch.setattr(fixed_module, "_COLUMNS", 2)
    assert (value(A.times(B)) == expected[0]).all()
    assert (value(A.times(A)) == expected[1]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**10, 1e300])
def test_numbers_out_of_range_are_refused(bad):
    with pytest.raises(RefusedCertificateError, match="too large"):
        fixed([np.array([[bad]])], 3)


def test_products_too_large_to_be_exact_are_refused():
    large = np.full((1, 4), 2.0**26)
    with pytest.raises(RefusedCertificateError, match="too large"):
        products.exact_product(large, large)
    with pytest.raises(RefusedCertificateError, match="too large"):
        products.exact_product(large / 2, large, summands=2)
    # A quarter of the most fits into three sums, and no more.
    assert products.exact_product(large / 8, large, summands=3).shape == (1, 1)
    for summands in (4, 5):
        with pytest.raises(RefusedCertificateError, match="too large"):
            products.exact_product(large / 8, large, summands=summands)


@pytest.mark.parametrize("size", [1, 6])
def test_products_of_the_smallest_integers_are_there(size):
    ones, zeros = np.eye(size), np.zeros((size, size))
    assert (products.exact_product(ones, ones) == ones).all()
    assert (products.exact_product(ones, zeros) == zeros).all()


def test_products_that_just_reach_the_limit_are_refused():
    for left, right in ((2.0**26, 2.0**27), (2.0**25 + 1, 2.0**28)):
        with pytest.raises(RefusedCertificateError, match="too large"):
            products.exact_product(np.array([[left]]), np.array([[right]]))


@pytest.mark.parametrize("shape", [(1, 1), (4, 3)])
def test_rows_keep_their_own_errors(shape):
    """Whether there is one error for all entries, or one for each."""
    random = np.random.default_rng(0)
    error = random.uniform(2.0**-20, 2.0**-10, shape)
    real = wide(random, 4, 3)
    matrix = fixed([real + error * random.choice([-1, 1], (4, 3))], 4, error)
    rows = [matrix.part(slice(i, i + 1), slice(None)) for i in range(4)]
    for i, row in enumerate(rows):
        assert row.shape == (1, 3)
        assert within(row, exact(real[i : i + 1]))
        assert row.error.max() <= error[i if len(error) > 1 else 0].max() * (1 + 1e-5)
        assert row.square_sum() >= (exact(real[i]) ** 2).sum()


@given(seeds)
@settings(deadline=None)
def test_a_wrong_product_is_noticed(seed):
    random = np.random.default_rng(seed)
    left = np.rint(random.uniform(-(2**20), 2**20, (4, 5)))
    right = np.rint(random.uniform(-(2**20), 2**20, (3, 5)))
    product = left @ right.T
    products._check(left, right, product)
    for part in (product[:1], product[:, :1], product[:1, :1], product[0]):
        with pytest.raises(RefusedCertificateError, match="multiplies wrongly"):
            products._check(left, right, part)
    product[random.integers(4), random.integers(3)] += 2.0 ** random.integers(0, 45)
    with pytest.raises(RefusedCertificateError, match="multiplies wrongly"):
        products._check(left, right, product)


def test_rounded_digits_are_no_exact_digits():
    """Digits out of range are refused rather than multiplied with a rounding."""
    large = Fixed((np.array([[2.0**51 + 12345]]), np.array([[3.0]])))
    with pytest.raises(RefusedCertificateError, match="too large"):
        large.scaled_columns(Fixed((np.zeros((1, 1)), np.array([[777777.0]]))))


def test_errors_that_vanish_modulo_2_64_together_are_noticed():
    left, right = np.zeros((1, 2)), np.eye(2)
    with np.errstate(all="ignore"), pytest.raises(RefusedCertificateError):
        products._check(left, right, np.full((1, 2), -(2.0**63)))


@pytest.mark.parametrize("wrong", [11.25, np.nan, np.inf, 2.0**60])
def test_products_that_are_no_integers_are_noticed(wrong):
    left, right = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    products._check(left, right, np.array([[11.0]]))
    with np.errstate(all="ignore"), pytest.raises(RefusedCertificateError):
        products._check(left, right, np.array([[wrong]]))


class Faulty(np.ndarray):
    """An array whose matrix products have one wrong entry."""

    def __matmul__(self, other):
        result = np.asarray(self) @ np.asarray(other)
        result.flat[-1] += 1
        return result


def test_a_faulty_library_is_not_believed():
    right = np.arange(15.0).reshape(5, 3)
    left = np.arange(18.0).reshape(6, 3)
    assert (products.exact_product(left, right) == left @ right.T).all()
    with pytest.raises(RefusedCertificateError, match="multiplies wrongly"):
        products.exact_product(left.view(Faulty), right)


@pytest.mark.parametrize("rows", [1, 4])
def test_products_of_few_rows_do_not_ask_the_library(rows):
    few, many = np.arange(3.0 * rows).reshape(rows, 3), np.arange(18.0).reshape(6, 3)
    for left, right in ((few, many), (many, few)):
        found = products.exact_product(left.view(Faulty), right)
        assert (found == left @ right.T).all()
