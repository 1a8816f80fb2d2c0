"""The exact decision against fractions: B, its eigenvalues, and what is proved."""

from fractions import Fraction

import numpy as np
import pytest
from exact_operators import exact
from exact_truth import budget, is_positive_definite, slack_and_output, solve, value
from generators import chain, random_chain, random_graph, some_multipliers, wide
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip import norms
from geolip.backend import Settings, get
from geolip.blocks import BlockFactor
from geolip.errors import RefusedCertificateError
from geolip.exact import definite
from geolip.exact import slack as slack_module
from geolip.exact.decision import proved_square
from geolip.exact.definite import largest_eigenvalue
from geolip.exact.fixed import Fixed, fixed, proposed
from geolip.exact.slack import Slack, slack
from geolip.incumbent import Incumbent
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.verify import verified_bound

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("kind", [random_chain, random_graph])
@pytest.mark.parametrize("seed", range(8))
def test_the_slack_is_the_theorems(kind, seed):
    random = np.random.default_rng(seed)
    network = reduce(kind(random, neurons=7, outputs=2)).network
    multipliers = some_multipliers(random, network)
    found = slack(network, multipliers)
    B, C = slack_and_output(network, multipliers)
    cuts = np.cumsum([0, *network.sizes])
    powers = slack_module._scales(network, multipliers)
    assert all((np.frexp(power)[0] == 0.5).all() for power in powers)
    scales = [exact(power) for power in powers]
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


@pytest.mark.parametrize("exponent", [-560, -500, 500, 560])
@pytest.mark.parametrize("seed", range(4))
def test_the_outputs_size_costs_nothing(seed, exponent):
    """Also where B is nearly singular, and squares would leave float64's range."""
    random = np.random.default_rng(seed)
    weights = [random.standard_normal((5, 3)), np.full((1, 5), 2.0**exponent)]
    size = 2.0**-exponent
    tau, d = random.uniform(1, 2, 3), random.uniform(1, 2, 5)
    near = least_scale(weights[0], tau, d)
    multipliers = Multipliers(near * tau * (1 + 1e-7), (d,))
    norm = norms.parse("inf").input
    huge = proved_square(chain(weights), norm, multipliers)
    usual = proved_square(chain([weights[0], size * weights[1]]), norm, multipliers)
    assert float(huge * Fraction(size) ** 2 / usual) == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize("lower", [0.3, 0.5, 0.9, 0.99, -0.9])
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_steep_sectors_are_decided(norm, lower):
    """Their squares are the larger part of B's diagonal."""
    random = np.random.default_rng(int(100 * lower) % 97)
    weights = [random.standard_normal(shape) for shape in ((8, 6), (9, 8), (1, 9))]
    problem = Problem(chain(weights, (lower, 1.0)), norms.parse(norm).input)
    judge = Incumbent(problem)
    get("lifted").solve(problem, Settings(1e-4), judge)
    bound = judge.settle()
    square = proved_square(problem.network, problem.norm, judge.multipliers)
    assert float(square) == pytest.approx(bound**2, rel=1e-10)
    assert square <= Fraction(bound) ** 2


@pytest.mark.parametrize("outputs", [1, 20])
@pytest.mark.parametrize("distance", [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9])
def test_nearly_singular_matrices_cost_hardly_anything(distance, outputs):
    """Against the value in fractions; the float verifier sees about as much."""
    for seed in range(3):
        random = np.random.default_rng([seed, outputs])
        first = random.standard_normal((4, 3))
        network = chain([first, random.standard_normal((outputs, 4))])
        tau, d = random.uniform(1, 2, 3), random.uniform(1, 2, 4)
        near = least_scale(first, tau, d)
        multipliers = Multipliers(near * tau * (1 + distance), (d,))
        problem = Problem(network, norms.parse("2").input)
        square = proved_square(network, problem.norm, multipliers)
        B, C = slack_and_output(network, multipliers)
        form = (C.T @ solve(B, C)).astype(float)
        truth = float(budget("2", multipliers.tau)) * np.linalg.eigvalsh(form)[-1]
        assert -1e-14 < float(square) / truth - 1 < 1e-11
        bound = verified_bound(problem, multipliers)
        assert bound is not None
        assert 0 <= bound**2 / float(square) - 1 < 3e-15 / distance


@pytest.mark.parametrize("size", [2, 30, 300])
def test_large_eigenvalues_are_sharp_at_every_size(size):
    """Of a I + c J, with J of ones: a + c n."""
    matrix = np.eye(size) * 0.3 + np.full((size, size), 0.25 / size)
    known = exact(matrix[:1, 0])[0] + (size - 1) * exact(matrix[:1, 1])[0]
    bound = largest_eigenvalue(proposed(matrix, 5))
    assert known <= bound <= known * (1 + Fraction(2, 10**13))


def least_scale(W: np.ndarray, tau: np.ndarray, d: np.ndarray) -> float:
    """Return how far tau can be scaled down before B is singular."""
    # diag(s tau) - W' D W / 2 loses its definiteness.
    scaled = W.T * d @ W / 2 / np.sqrt(np.outer(tau, tau))
    return float(np.linalg.eigvalsh(scaled)[-1])


@pytest.mark.parametrize("digits", [1, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_the_residual_is_the_largest_row_sum(seed, digits):
    """Against B - s I - L L' in fractions, for L to as many digits.

    Of another matrix where high digits count, since low ones are of use for B alone.
    """
    random = np.random.default_rng(seed)
    B = definite_slack(random)
    sizes, offsets = B.sizes, np.cumsum([0, *B.sizes])
    dense = truly_dense(B)
    shift, lower = 2.0**-20, np.tril(random.uniform(-0.2, 0.2, dense.shape))
    if digits > 1:
        lower = np.linalg.cholesky(dense.astype(float) - shift * np.eye(len(dense)))
        lower *= 1 + 1e-13 * random.uniform(-1, 1, lower.shape)
    factors = {
        (i, j): lower[offsets[i] : offsets[i + 1], offsets[j] : offsets[j + 1]]
        for i in range(len(sizes))
        for j in range(i + 1)
    }
    # The first pivot as a diagonal, as it usually is.
    if digits == 1 or (0, 0) not in B.blocks:
        factors[0, 0] = np.diagonal(factors[0, 0]).copy()
        lower[: sizes[0], : sizes[0]] = np.diag(factors[0, 0])
    grid = 2.0 ** (26, 46, 66)[digits - 1]
    L = exact(np.rint(lower * grid)) / Fraction(grid)
    E = dense - Fraction(shift) * np.eye(len(dense), dtype=int) - L @ L.T
    found = definite._residual(B, shift, factors, digits)
    excess = found - abs(E).sum(axis=1).max()
    # Products of last digits are bounded, not formed, but for the first.
    room = Fraction(1, 2 ** (40, 53, 80)[digits - 1]) * len(dense) ** 2
    assert 0 <= excess <= room + found / 2**19


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_what_digits_leave_out_is_in_the_residual(digits):
    """A pivot of which all that is computed vanishes, but not what is left out."""
    shift, half = 2.0**-16, 2.0**19
    pivot = [0.5, 0.5 + 2.0**-27, 0.5 + 2.0**-27 + 2.0**-47][digits - 1]
    H, F, G = Fraction(1, 2), Fraction(1, 2**27), Fraction(1, 2**47)
    known = [H**2, H**2 + 2 * H * F, (H + F) ** 2 + 2 * H * G][digits - 1]
    later = [0.0, 0.0, 2.0**20, 2.0**20, 2.0**20]
    later[: digits + 1] = [0.0] * (digits + 1)
    # Of 1/4 and the shift in the first digit, and what follows below 2^-42.
    rest = fixed([np.array([[float(known - H**2)]])], 5).digits
    start = [half + 2.0**5, 0.0, 0.0, 0.0, 0.0]
    own = Fixed(tuple(a + b + c for a, b, c in zip(start, rest, later, strict=True)))
    B = Slack((1,), [own], {}, [])
    found = definite._residual(B, shift, {(0, 0): np.array([pivot])}, digits)
    truth = value(own)[0, 0] - Fraction(shift) - Fraction(pivot) ** 2
    assert 0 < abs(truth) <= found <= 64 * abs(truth)


def truly_dense(B: Slack) -> np.ndarray:
    """Return the whole matrix in fractions."""
    offsets = np.cumsum([0, *B.sizes])
    dense = exact(np.zeros((offsets[-1],) * 2))
    for i, diagonal in enumerate(B.diagonals):
        place = slice(offsets[i], offsets[i + 1])
        dense[place, place] = np.diag(value(diagonal)[0])
    for (i, j), block in B.blocks.items():
        rows, columns = (slice(offsets[k], offsets[k + 1]) for k in (i, j))
        dense[rows, columns] = dense[rows, columns] + value(block)
        if i != j:
            dense[columns, rows] = dense[rows, columns].T
    return dense


def definite_slack(random: np.random.Generator) -> Slack:
    """Return a positive definite one."""
    while True:
        network = reduce(random_graph(random, neurons=7, outputs=1)).network
        B = slack(network, some_multipliers(random, network))
        if is_positive_definite(truly_dense(B)):
            return B


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
        with pytest.raises(
            RefusedCertificateError, match=r"positive definite|too large"
        ):
            definite.least_eigenvalue(B)
