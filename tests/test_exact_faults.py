"""What fails on the way to an exact decision weakens it or ends it, never more."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from exact_operators import operator_matrix
from exact_truth import is_positive_definite, value
from generators import random_chain, some_multipliers, wide

from geolip import norms
from geolip.blocks import BlockFactor
from geolip.errors import RefusedCertificateError
from geolip.exact import decision, definite, layers
from geolip.exact.definite import largest_eigenvalue
from geolip.exact.entries import Entries, entries
from geolip.exact.fixed import Fixed, fixed, proposed
from geolip.exact.slack import Slack
from geolip.linear import Dense, Sum, compose, scaling
from geolip.multipliers import Multipliers
from geolip.norms import NormPair
from geolip.presolve import reduce
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork


def gram(seed: int) -> Fixed:
    half = wide(np.random.default_rng(seed), 4, 4)
    return proposed(half @ half.T, 5)


def is_above(bound: Fraction, matrix: Fixed) -> bool:
    """Return whether no eigenvalue is above the bound, exactly."""
    symmetric = (value(matrix) + value(matrix).T) / 2
    identity = np.eye(len(symmetric), dtype=int)
    return is_positive_definite((bound + Fraction(1, 10**60)) * identity - symmetric)


@pytest.mark.parametrize("failures", range(5))
def test_where_factors_fail_the_next_counts_and_in_the_end_the_rows(
    failures, monkeypatch
):
    matrix, real, asked = gram(0), definite._factor, []

    def failing(B, shift):
        asked.append(shift)
        return None if len(asked) <= failures else real(B, shift)

    tight = largest_eigenvalue(matrix)
    monkeypatch.setattr(definite, "_factor", failing)
    bound = largest_eigenvalue(matrix)
    assert is_above(bound, matrix)
    rows = abs(value(matrix) + value(matrix).T).sum(axis=1).max() / 2
    if failures < 3:
        assert len(asked) == failures + 1
        assert tight <= bound <= tight * (1 + Fraction(1, 10**8)) < rows
    else:
        assert len(asked) == 3
        assert bound == rows


@pytest.mark.parametrize("seed", range(6))
def test_a_wrong_factor_is_no_largest_eigenvalue(seed, monkeypatch):
    matrix = gram(seed)

    def identity(B, shift):
        return BlockFactor(B.sizes, (0,), {(0, 0): np.eye(B.sizes[0])})

    monkeypatch.setattr(definite, "_factor", identity)
    assert is_above(largest_eigenvalue(matrix), matrix)


@pytest.mark.parametrize("share", [0.6, 0.75, 0.999])
def test_a_factor_that_misses_some_shows_less(share, monkeypatch):
    """Of a diagonal with an entry below the first shift, as if it were the shift."""
    shift = definite._ATTEMPTS[0][0]
    diagonal = np.array([[0.5, share * shift]])
    B = Slack((2,), [proposed(diagonal, 4)], {}, [])

    def near(B, shift):
        rest = np.maximum(diagonal[0] - shift, 0.0)
        return BlockFactor((2,), (0,), {(0, 0): np.sqrt(rest)})

    monkeypatch.setattr(definite, "_factor", near)
    least, _ = definite.least_eigenvalue(B)
    assert 0 < least <= value(B.diagonals[0])[0, 1]


@pytest.mark.parametrize("where", ["diagonal", "block", "pair"])
def test_what_is_not_known_of_a_matrix_shows_less(where):
    """The least eigenvalue is that of the worst matrix within the error."""
    shift = definite._ATTEMPTS[0][0]
    least, doubt = 1.001 * shift, shift / 2
    own = proposed(np.array([[least, least]]), 4)
    error = np.full((1, 2), doubt) if where == "diagonal" else np.zeros((1, 1))
    between = {"block": doubt * np.eye(2), "pair": doubt * np.eye(2)[::-1]}
    blocks = {}
    if where in between:
        blocks[0, 0] = fixed([np.zeros((2, 2))], 4, between[where])
    B = Slack((2,), [Fixed(own.digits, error)], blocks, [])
    found, _ = definite.least_eigenvalue(B)
    assert 0 < found <= Fraction(least) - Fraction(doubt) + Fraction(1, 10**20)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.5, 1 - 1e-6, 1.5])
def test_a_wrong_eigenvalue_is_no_largest_one(seed, factor, monkeypatch):
    matrix, real = gram(seed), np.linalg.eigvalsh
    monkeypatch.setattr(np.linalg, "eigvalsh", lambda A: factor * real(A))
    assert is_above(largest_eigenvalue(matrix), matrix)


def test_tiny_matrices_have_eigenvalues_as_sharp():
    half = wide(np.random.default_rng(0), 4, 4) * 2.0**-40
    matrix = proposed(half @ half.T, 10)
    bound = largest_eigenvalue(matrix)
    symmetric = (value(matrix) + value(matrix).T) / 2
    identity = np.eye(4, dtype=int)
    assert is_positive_definite(
        bound * (1 + Fraction(1, 10**20)) * identity - symmetric
    )
    below = bound * (1 - Fraction(1, 10**11)) * identity
    assert not is_positive_definite(below - symmetric)


def test_without_a_positive_eigenvalue_the_rows_are_the_bound():
    assert largest_eigenvalue(proposed(-np.eye(3) / 4, 3)) == Fraction(1, 4)
    assert largest_eigenvalue(proposed(np.zeros((3, 3)), 3)) == 0
    error = np.array([[2.0**-30]])
    for size in (1, 3):
        known = fixed([np.zeros((size, size))], 3, error)
        assert largest_eigenvalue(known) >= Fraction(float(error[0, 0]))


@pytest.mark.parametrize("factor", [0.0, 0.9, 1 + 1e-5, 2.0, -1.0, np.nan, np.inf])
def test_a_wrong_solution_costs_the_bound_not_its_truth(factor, monkeypatch):
    network = reduce(random_chain(np.random.default_rng(3), depth=1)).network
    tau, *d = (np.ones(n) for n in network.sizes)
    norm, multipliers = norms.parse("inf").input, Multipliers(1e3 * tau, tuple(d))
    square = decision.proved_square(network, norm, multipliers)
    real = decision._solution

    def wrong(*arguments):
        with np.errstate(all="ignore"):
            return [factor * x for x in real(*arguments)]

    monkeypatch.setattr(decision, "_solution", wrong)
    try:
        found = decision.proved_square(network, norm, multipliers)
    except RefusedCertificateError:
        return
    assert found >= square * (1 - Fraction(1, 10**11))


def test_an_output_that_cancels_is_constant_exactly():
    """Its entries are zero, though its terms are not: nothing is added for rounding."""
    random = np.random.default_rng(0)
    W, A = random.standard_normal((4, 3)), random.standard_normal((1, 4))
    neurons = LinearMap(4, {0: Dense(W)})
    block = SectorBlock(neurons, np.zeros(4), np.ones(4))
    output = LinearMap(1, {1: Sum((Dense(A), Dense(-A)))})
    multipliers = Multipliers(np.full(3, 20.0), (np.ones(4),))
    network, norm = SectorNetwork(3, (block,), output), norms.parse("inf").input
    assert decision.proved_square(network, norm, multipliers) == 0


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_solutions_that_are_no_numbers_are_refused(wrong, monkeypatch):
    """Eigenvalues are shown to be positive, and then the library gives up."""
    network = reduce(random_chain(np.random.default_rng(3), neurons=6)).network
    multipliers = some_multipliers(np.random.default_rng(0), network)
    assert decision.proved_square(network, norms.parse("inf").input, multipliers) > 0
    real = decision.solution
    monkeypatch.setattr(
        decision, "solution", lambda *given: [wrong * x for x in real(*given)]
    )
    with pytest.raises(RefusedCertificateError):
        decision.proved_square(network, norms.parse("inf").input, multipliers)


def test_products_of_tiny_numbers_are_refused():
    for size, fits in ((2.0**-400, True), (2.0**-500, False)):
        operator = compose(scaling(np.full(2, size)), Dense(np.full((2, 3), size)))
        if fits:
            assert sum(entries(operator).parts).max() == size**2
        else:
            with pytest.raises(RefusedCertificateError, match="too small"):
                entries(operator)


def test_large_gram_matrices_are_not_formed(monkeypatch):
    """The norm's square is at most the largest row sum times the largest column sum."""
    W = wide(np.random.default_rng(0), 3, 5)
    network = SectorNetwork(5, (), LinearMap(3, {0: Dense(W)}))
    tight = layers.product_square(network, norms.parse("2"))
    monkeypatch.setattr(layers, "_LARGEST_GRAM", 4)
    exact = abs(operator_matrix(Dense(W)))
    expected = exact.sum(axis=0).max() * exact.sum(axis=1).max()
    assert layers.product_square(network, norms.parse("2")) >= expected > tight


@pytest.mark.parametrize("largest", [4, 2000])
def test_equal_entries_have_the_norm_of_their_sums(largest, monkeypatch):
    """With and without a Gram matrix: of 30 rows and columns, 30 times the entry."""
    network = SectorNetwork(30, (), LinearMap(30, {0: Dense(np.full((30, 30), 0.75))}))
    monkeypatch.setattr(layers, "_LARGEST_GRAM", largest)
    square = layers.product_square(network, norms.parse("2"))
    truth = Fraction(45, 2) ** 2
    assert truth <= square <= truth * (1 + Fraction(1, 10**10))


def test_norms_without_an_operator_norm_prove_nothing():
    unknown = NormPair(SimpleNamespace(name="3"), norms.parse("2").output)
    with pytest.raises(ValueError, match="no operator norm"):
        layers._norm_square(Entries([np.eye(2)]), unknown)
