"""Exact arithmetic against fractions: every operation, and the decision itself."""

from fractions import Fraction

import numpy as np
import pytest
from exact_truth import (
    budget,
    exact,
    is_positive_definite,
    operator_matrix,
    slack_and_output,
    solve,
)
from generators import random_chain, random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from geolip import norms
from geolip.backend import Settings, get
from geolip.blocks import BlockFactor
from geolip.bounds.norm_product import norm_product
from geolip.errors import RefusedCertificateError
from geolip.exact import definite, products
from geolip.exact import fixed as fixed_module
from geolip.exact.decision import proved_square
from geolip.exact.definite import largest_eigenvalue
from geolip.exact.entries import entries
from geolip.exact.fixed import Fixed, fixed, proposed, total
from geolip.exact.layers import product_square, root
from geolip.exact.slack import slack
from geolip.incumbent import Incumbent
from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    Sparse,
    add,
    compose,
    scaling,
    selection,
)
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorNetwork
from geolip.tiles import tiled_factor, tiles
from geolip.verify import verified_bound

seeds = st.integers(0, 2**32 - 1)


def value(matrix: Fixed) -> np.ndarray:
    return matrix.fractions()


def wide(random: np.random.Generator, m: int, n: int) -> np.ndarray:
    """Return numbers of very different sizes below one half, some of them zero."""
    numbers = random.uniform(-0.5, 0.5, (m, n)) * 2.0 ** random.integers(-90, 1, (m, n))
    return numbers * (random.random((m, n)) < 0.9)


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
    square = known(wide(random, n, n))
    inside = value(square) + np.diag(exact(row)[0])
    error = exact(np.broadcast_to(square.error, (n, n)))
    assert (
        abs(value(square.plus_diagonal(r)) - inside)
        <= exact(np.broadcast_to(square.plus_diagonal(r).error, (n, n))) + error
    ).all()


def test_operations_leave_their_operands_alone():
    random = np.random.default_rng(0)
    A, B = fixed([wide(random, 4, 4)], 3), fixed([wide(random, 4, 4)], 5)
    r = fixed([wide(random, 1, 4)], 4)
    before = [[d.copy() for d in M.digits] for M in (A, B, r)]
    for _ in range(2):
        total([A, B, -A])
        A.times(B), A.times(A), A.scaled_columns(r), A.plus_diagonal(r), A.row_sums()
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


@given(seeds)
@settings(deadline=None)
def test_a_wrong_product_is_noticed(seed):
    random = np.random.default_rng(seed)
    left = np.rint(random.uniform(-(2**20), 2**20, (4, 5)))
    right = np.rint(random.uniform(-(2**20), 2**20, (3, 5)))
    product = left @ right.T
    products._check(left, right, product)
    product[random.integers(4), random.integers(3)] += 2.0 ** random.integers(0, 45)
    with pytest.raises(RefusedCertificateError, match="multiplies wrongly"):
        products._check(left, right, product)


def operators(random: np.random.Generator) -> list:
    """Return one of each kind between 8 coordinates, numbers of all sizes."""

    def numbers(*shape: int) -> np.ndarray:
        return random.standard_normal(shape) * 2.0 ** random.integers(-40, 40, shape)

    dense, other = Dense(numbers(8, 8)), Dense(numbers(8, 8))
    convolution = Convolution(numbers(2, 2, 3), (4,), (1,), (1,), ((1, 1),))
    rows = selection([3, 1, -1, 0, 7, 7, 2, 5], 8)
    columns = selection([2, 0, 1, 6, 5, 4, 3, 7], 8)
    averages = np.where(random.random((8, 8)) < 0.4, numbers(8, 8), 0.0)
    pool = Sparse(sparse.csr_array(averages))
    return [
        dense,
        convolution,
        pool,
        add(dense, convolution),
        compose(dense, other),
        compose(scaling(numbers(8)), convolution),
        compose(convolution, scaling(numbers(8))),
        compose(rows, convolution),
        compose(convolution, columns),
        compose(pool, compose(convolution, other)),
        Composition((rows, convolution, columns)),
        add(compose(dense, pool), compose(scaling(numbers(8)), other)),
    ]


@pytest.mark.parametrize("kind", range(12))
@pytest.mark.parametrize("seed", range(3))
def test_entries_of_operators_are_exact(kind, seed):
    operator = operators(np.random.default_rng(seed))[kind]
    found = entries(operator)
    truth = operator_matrix(operator)
    missed = abs(sum(exact(part) for part in found.parts) - truth)
    assert (missed <= exact(np.broadcast_to(found.error, truth.shape))).all()
    assert found.error.max() <= 1e-30 * float(abs(truth).max())
    assert (found.sizes() >= np.abs(operator.dense()) * (1 - 1e-12)).all()
    for part in found.parts:
        mantissa, _ = np.frexp(part)
        assert (mantissa * 2**26 % 1 == 0).all()


def test_rounded_numbers_carry_their_rounding():
    third = Sparse(scaling(np.array([1 / 3, 0.1])).matrix, rounded=1)
    operator = compose(third, Dense(np.array([[3.0, 1.0], [7.0, -1.0]])))
    found = entries(operator)
    truth = np.array(
        [[Fraction(1), Fraction(1, 3)], [Fraction(7, 10), Fraction(-1, 10)]]
    )
    missed = abs(sum(exact(part) for part in found.parts) - truth)
    assert missed.max() > 0
    assert (missed <= exact(found.error)).all()
    assert found.error.max() < 1e-14


@pytest.mark.parametrize("kind", [random_chain, random_graph])
@pytest.mark.parametrize("seed", range(8))
def test_the_slack_is_the_theorems(kind, seed):
    random = np.random.default_rng(seed)
    network = reduce(kind(random, neurons=7, outputs=2)).network
    multipliers = some_multipliers(random, network)
    found = slack(network, multipliers)
    B, C = slack_and_output(network, multipliers)
    cuts = np.cumsum([0, *network.sizes])
    scales = [exact(s / 2) for s in multipliers.scales()]
    for i in range(len(network.sizes)):
        for j in range(i + 1):
            truth = B[cuts[i] : cuts[i + 1], cuts[j] : cuts[j + 1]]
            truth = scales[i][:, None] * truth * scales[j]
            block = found.blocks.get((i, j))
            if i == j:
                diagonal = found.diagonals[i]
                spread = np.diag(value(diagonal)[0])
                got = spread if block is None else spread + value(block)
                doubt = diagonal.error.max() + (
                    0 if block is None else block.error.max()
                )
            else:
                got = value(block) if block is not None else 0 * truth
                doubt = 0.0 if block is None else block.error.max()
            assert (abs(got - truth) <= Fraction(float(doubt))).all()
            assert doubt < 1e-23
        rows = scales[i][:, None] * C[cuts[i] : cuts[i + 1]]
        assert (sum(exact(p) for p in found.outputs[i].parts) == rows).all()


def some_multipliers(random: np.random.Generator, network) -> Multipliers:
    """Return multipliers near the best, rounded to 24 bits, or anything positive."""
    problem = Problem(network, norms.parse("2").input)
    if random.random() < 0.7:
        judge = Incumbent(problem)
        few = Settings(extra={"max_iterations": int(random.integers(1, 300))})
        get("lifted").solve(problem, few, judge)
        judge.settle()
        if judge.multipliers is not None:
            return judge.multipliers
    tau, *d = (10.0 ** random.uniform(-2, 2, n) for n in network.sizes)
    return Multipliers(tau, tuple(d))


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("kind", [random_chain, random_graph])
@pytest.mark.parametrize("batch", range(6))
def test_what_is_proved_is_true_and_hardly_weaker(kind, norm, batch):
    """Against B and C in fractions: never below, and above by 1e-11 at the most."""
    for seed in range(4 * batch, 4 * batch + 4):
        random = np.random.default_rng([seed, len(norm)])
        outputs = 1 + seed % 3
        network = reduce(kind(random, neurons=6, outputs=outputs)).network
        problem = Problem(network, norms.parse(norm).input)
        if problem.is_trivial:
            continue
        multipliers = some_multipliers(random, network)
        tau = np.full(network.input_size, multipliers.tau.max())
        multipliers = Multipliers(tau, multipliers.d)
        B, C = slack_and_output(network, multipliers)
        definite = is_positive_definite(B)
        try:
            square = proved_square(network, problem.norm, multipliers)
        except RefusedCertificateError:
            assert verified_bound(problem, multipliers) is None or not definite
            continue
        assert definite
        form = C.T @ solve(B, C) * budget(norm, multipliers.tau)
        identity = np.eye(outputs, dtype=int)
        above = square * (1 + Fraction(1, 10**40)) + Fraction(1, 10**300)
        assert is_positive_definite(above * identity - form)
        lower = square * (1 - Fraction(1, 10**11))
        assert not is_positive_definite(lower * identity - form)
        # The float verifier proves about the same.
        bound = verified_bound(problem, multipliers)
        assert bound is not None
        assert bound == pytest.approx(float(square) ** 0.5, rel=1e-11)


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_indefinite_slacks_are_refused(seed):
    random = np.random.default_rng(seed)
    network = reduce(random_graph(random, neurons=5, outputs=1)).network
    if Problem(network, norms.parse("inf").input).is_trivial:
        return
    tau, *d = (10.0 ** random.uniform(-3, 3, n) for n in network.sizes)
    multipliers = Multipliers(tau, tuple(d))
    B, _ = slack_and_output(network, multipliers)
    if not is_positive_definite(B):
        with pytest.raises(RefusedCertificateError):
            proved_square(network, norms.parse("inf").input, multipliers)


BAD = [
    lambda m: Multipliers(m.tau[:-1], m.d),
    lambda m: Multipliers(np.full_like(m.tau, np.nan), m.d),
    lambda m: Multipliers(np.full_like(m.tau, np.inf), m.d),
    lambda m: Multipliers(-m.tau, m.d),
    lambda m: Multipliers(0 * m.tau, m.d),
    lambda m: Multipliers(m.tau, m.d[:-1]),
    lambda m: Multipliers(m.tau * 2.0**400, m.d),
    lambda m: Multipliers(m.tau * 2.0**-400, m.d),
    lambda m: Multipliers(m.tau, tuple(d * 2.0**-1074 for d in m.d)),
    lambda m: Multipliers(m.tau, tuple(d * 2.0**250 for d in m.d)),
]


@pytest.mark.parametrize("spoil", BAD)
def test_bad_multipliers_are_refused(spoil):
    random = np.random.default_rng(3)
    network = reduce(random_chain(random, neurons=6, depth=2)).network
    multipliers = spoil(some_multipliers(random, network))
    with np.errstate(all="ignore"), pytest.raises(RefusedCertificateError):
        proved_square(network, norms.parse("inf").input, multipliers)


@given(seeds, st.integers(1, 7))
@settings(deadline=None)
def test_largest_eigenvalues_are_upper_bounds(seed, m):
    random = np.random.default_rng(seed)
    half = wide(random, m, m)
    matrix = proposed(half @ half.T, 5)
    symmetric = (value(matrix) + value(matrix).T) / 2
    bound = largest_eigenvalue(matrix)
    above = bound + Fraction(1, 10**60)
    assert is_positive_definite(above * np.eye(m, dtype=int) - symmetric)
    truth = float(np.linalg.eigvalsh(symmetric.astype(float))[-1])
    assert float(bound) <= truth * (1 + 1e-11) + 1e-25


@pytest.mark.parametrize("norm", ["inf", "2", "2:inf", "inf:2"])
@pytest.mark.parametrize("seed", range(10))
def test_norm_products_agree_with_float_arithmetic(seed, norm):
    random = np.random.default_rng(seed)
    pair = norms.parse(norm)
    network = random_graph(random, neurons=9, outputs=1 if pair.rowwise else 2)
    product = norm_product(network, pair)
    square = product_square(network, pair)
    assert product == pytest.approx(float(square) ** 0.5, rel=1e-10)


@given(st.fractions(min_value=0))
def test_roots_are_upper_bounds(square):
    found = root(square)
    assert found**2 >= square
    assert found**2 <= square * (1 + Fraction(1, 2**50))


def test_errors_move_with_their_rows_and_columns():
    """A permutation of rounded rows, and a selection of some of them."""
    factors = np.array([1 / 3, 2.0**-300, 1 / 7, 0.1])
    rounded = Sparse(scaling(factors).matrix, rounded=1)
    inner = compose(rounded, Dense(np.eye(4) + 0.25))
    sizes = entries(inner).error
    for index in ([2, 0, 3, 1], [3, 1]):
        rows = Composition((selection(index, 4), *inner.factors))
        assert np.allclose(entries(rows).error, sizes[index], rtol=1e-3, atol=1e-290)
        columns = Composition((*inner.factors, selection(index, 4).transpose()))
        assert np.allclose(
            entries(columns).error, sizes[:, index], rtol=1e-3, atol=1e-290
        )


def chain_of_matrices(matrices: list) -> SectorNetwork:
    """Return a network without neurons, so that all matrices are multiplied."""
    operator = Composition(tuple(Dense(np.array(W)) for W in reversed(matrices)))
    reading = LinearMap(operator.shape[0], {0: operator})
    return SectorNetwork(operator.shape[1], (), reading)


def test_products_that_underflow_are_refused():
    """Their product is 2^-1047, what is left of the first two after cancellation."""
    a, e = 2.0**-199, 2.0**-52
    matrices = [[[a], [a * (1 + e)]], [[a, -a]], [[a]], [[a]], [[a]]]
    network = chain_of_matrices(matrices)
    truth = Fraction(a) ** 5 * Fraction(e)
    for norm in ("inf", "2"):
        try:
            square = product_square(network, norms.parse(norm))
        except RefusedCertificateError:
            continue
        assert square >= truth**2


def test_rounded_digits_are_no_exact_digits():
    """Digits out of range are refused rather than multiplied with a rounding."""
    large = Fixed((np.array([[2.0**51 + 12345]]), np.array([[3.0]])))
    with pytest.raises(RefusedCertificateError, match="too large"):
        large.scaled_columns(Fixed((np.zeros((1, 1)), np.array([[777777.0]]))))


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
    right = np.arange(6.0).reshape(2, 3)
    left = np.arange(12.0).reshape(4, 3)
    assert (products.exact_product(left, right) == left @ right.T).all()
    with pytest.raises(RefusedCertificateError, match="multiplies wrongly"):
        products.exact_product(left.view(Faulty), right)


@pytest.mark.parametrize("height", [2, 1000])
@pytest.mark.parametrize("seed", range(12))
def test_the_residual_is_the_largest_row_sum(seed, height):
    """For a factor of another matrix, in tiles, against B - s I - L L' in fractions."""
    random = np.random.default_rng(seed)
    network = reduce(random_graph(random, neurons=7, outputs=1)).network
    B = slack(network, some_multipliers(random, network))
    sizes, offsets = B.sizes, np.cumsum([0, *B.sizes])
    lower = np.tril(random.uniform(-0.5, 0.5, (offsets[-1],) * 2))
    factors = {
        (i, j): lower[offsets[i] : offsets[i + 1], offsets[j] : offsets[j + 1]]
        for i in range(len(sizes))
        for j in range(i + 1)
    }
    # The first pivot as a diagonal, as it usually is.
    factors[0, 0] = np.diagonal(factors[0, 0]).copy()
    lower[: sizes[0], : sizes[0]] = np.diag(factors[0, 0])
    factor = BlockFactor(sizes, tuple(range(len(sizes))), factors)
    grid = 2.0**63
    L = exact(np.rint(lower * grid)) / Fraction(grid)
    dense = exact(np.zeros((offsets[-1],) * 2))
    for i, diagonal in enumerate(B.diagonals):
        place = slice(offsets[i], offsets[i + 1])
        dense[place, place] = np.diag(value(diagonal)[0])
    for (i, j), block in B.blocks.items():
        rows, columns = (slice(offsets[k], offsets[k + 1]) for k in (i, j))
        dense[rows, columns] = dense[rows, columns] + value(block)
        if i != j:
            dense[columns, rows] = dense[rows, columns].T
    shift = 2.0**-20
    E = dense - Fraction(shift) * np.eye(len(dense), dtype=int) - L @ L.T
    cut = tiles(sizes, height)
    found = definite._largest_residual(
        B.tiled(cut), shift, tiled_factor(factor, cut), 3
    )
    assert abs(found - abs(E).sum(axis=1).max()) <= Fraction(1, 10**18)


@pytest.mark.parametrize("seed", range(10))
def test_a_wrong_factor_proves_nothing(seed, monkeypatch):
    """As of the identity, whatever B is, or of B but for one entry."""
    random = np.random.default_rng(seed)
    network = reduce(random_graph(random, neurons=7, outputs=1)).network
    B = slack(network, some_multipliers(random, network))
    real = definite._factor

    def identity(B, shift):
        blocks = {(k, k): np.full(n, 0.5) for k, n in enumerate(B.sizes)}
        return BlockFactor(B.sizes, tuple(range(len(B.sizes))), blocks)

    def spoiled(B, shift):
        factor = real(B, shift)
        if factor is not None:
            place = list(factor.factors)[-1]
            factor.factors[place].flat[0] *= 1.001
        return factor

    for wrong in (identity, spoiled):
        monkeypatch.setattr(definite, "_factor", wrong)
        with pytest.raises(RefusedCertificateError, match="positive definite"):
            definite.least_eigenvalue(B)
