"""Norms: how they are written, their duals, and their share in the relaxation."""

import pkgutil
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip import norms
from geolip.arrays import Array
from geolip.errors import UsageError
from geolip.norms import NORMS, Norm, parse

names = pytest.mark.parametrize("name", NORMS)
anything = settings(deadline=None, max_examples=50)


@st.composite
def matrices(draw: st.DrawFn) -> Array:
    """Draw arrays with zeros, repeated entries and entries of many sizes."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 4)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["normal", "small integers", "sizes", "zero"]))
    match kind:
        case "normal":
            return random.standard_normal(shape)
        case "small integers":
            return random.integers(-1, 2, shape).astype(float)
        case "sizes":
            return random.standard_normal(shape) * 10.0 ** random.uniform(-9, 9, shape)
    return np.zeros(shape)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


# Spellings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelling", "pair"),
    [
        ("inf", "inf:inf"),
        ("Inf", "inf:inf"),
        (" inf ", "inf:inf"),
        ("linf", "inf:inf"),
        ("l_inf", "inf:inf"),
        ("L_inf", "inf:inf"),
        (np.inf, "inf:inf"),
        (float("inf"), "inf:inf"),
        (np.float32(np.inf), "inf:inf"),
        ("2", "2:2"),
        ("l2", "2:2"),
        ("L2", "2:2"),
        ("l_2", "2:2"),
        (2, "2:2"),
        (2.0, "2:2"),
        (np.int64(2), "2:2"),
        (np.float64(2.0), "2:2"),
        ("2:inf", "2:inf"),
        ("2 : inf", "2:inf"),
        ("inf:2", "inf:2"),
        ("l2:linf", "2:inf"),
        (("2", "inf"), "2:inf"),
        ([2, "inf"], "2:inf"),
        ([2, np.inf], "2:inf"),
        ((np.inf, 2.0), "inf:2"),
        ("1", "1:1"),
        ("l1", "1:1"),
        ("l_1", "1:1"),
        (1, "1:1"),
        (1.0, "1:1"),
        (np.int64(1), "1:1"),
        (np.float64(1.0), "1:1"),
        ("1:inf", "1:inf"),
        ((1, 2), "1:2"),
        ("L2:L1", "2:1"),
        (("inf",), "inf:inf"),
    ],
)
def test_spellings(spelling: object, pair: str) -> None:
    assert str(parse(spelling)) == pair


@names
def test_every_norm_is_found_by_its_name(name: str) -> None:
    pair = parse(name)
    assert pair.input is pair.output is NORMS[name]
    assert pair.rowwise is (name == "inf")
    assert pair.columnwise is (name == "1")


def test_every_file_of_the_folder_defines_a_norm_or_their_base() -> None:
    files = {module.name for module in pkgutil.iter_modules(norms.__path__)}
    defining = {type(norm).__module__.rpartition(".")[2] for norm in NORMS.values()}
    assert files - defining == {"norm"}


@pytest.mark.parametrize(
    "spelling",
    [
        "3",
        3,
        0,
        -2,
        2.5,
        2.0000001,
        True,
        np.nan,
        -np.inf,
        "",
        ":",
        "2:",
        ":2",
        "2:3",
        "2:2:2",
        "two",
        "infinity or so",
        "-inf",
        None,
        [],
        (),
        (2, 2, 2),
        (2, None),
        ["2:inf", 2],
        {"2": "inf"},
        Norm,
    ],
    ids=repr,
)
def test_unknown_norms(spelling: object) -> None:
    with pytest.raises(UsageError) as caught:
        parse(spelling)
    message = str(caught.value)
    for name in NORMS:
        assert name in message
    assert "\n" not in message


# Duality ----------------------------------------------------------------------------


@names
def test_values(name: str) -> None:
    X = np.array([[3.0, 0.0], [-4.0, 0.0]])
    values = {"1": [7.0, 0.0], "2": [5.0, 0.0], "inf": [4.0, 0.0]}
    duals = {"1": "inf", "2": "2", "inf": "1"}
    own, dual = values[name], values[duals[name]]
    assert NORMS[name].of(X).tolist() == own
    assert NORMS[name].dual(X).tolist() == dual


@anything
@given(st.sampled_from(sorted(NORMS)), matrices())
def test_aligned(name: str, G: Array) -> None:
    norm = NORMS[name]
    X = norm.aligned(G)
    assert X.shape == G.shape
    close(norm.of(X), np.ones(G.shape[1]))
    close((G * X).sum(axis=0), norm.dual(G))


@anything
@given(st.sampled_from(sorted(NORMS)), matrices())
def test_dual_aligned(name: str, V: Array) -> None:
    norm = NORMS[name]
    F = norm.dual_aligned(V)
    assert F.shape == V.shape
    close(norm.dual(F), np.ones(V.shape[1]))
    close((F * V).sum(axis=0), norm.of(V))


@anything
@given(st.sampled_from(sorted(NORMS)), matrices(), st.integers(0, 2**32 - 1))
def test_hoelder(name: str, G: Array, seed: int) -> None:
    norm = NORMS[name]
    X = np.random.default_rng(seed).standard_normal(G.shape)
    product = np.abs((G * X).sum(axis=0))
    assert (product <= norm.dual(G) * norm.of(X) * (1 + 1e-12)).all()


# The relaxation ---------------------------------------------------------------------


def unit_points(norm: Norm, size: int, random: np.random.Generator) -> Array:
    """Return points of norm one: random ones, coordinate vectors, sign vectors."""
    points = np.concatenate(
        [
            random.standard_normal((size, 50)),
            np.eye(size),
            np.where(random.random((size, 20)) < 0.5, -1.0, 1.0),
        ],
        axis=1,
    )
    return points / norm.of(points)


@anything
@given(
    st.sampled_from(sorted(NORMS)),
    st.integers(1, 6),
    st.sampled_from([1.0, 0.0, 1e-6]),
    st.integers(0, 2**32 - 1),
)
def test_budget(name: str, size: int, scale: float, seed: int) -> None:
    norm, random = NORMS[name], np.random.default_rng(seed)
    tau = scale * random.random(size)
    budget = norm.budget(tau)
    assert isinstance(budget, float)
    spent = tau @ unit_points(norm, size, random) ** 2
    # Never above, and attained by a coordinate or a sign vector.
    assert (spent <= budget * (1 + 1e-12)).all()
    close(spent.max(), budget)


@anything
@given(st.sampled_from(sorted(NORMS)), matrices(), st.integers(0, 2**32 - 1))
def test_lifted_aligned(name: str, G: Array, seed: int) -> None:
    norm = NORMS[name]
    X = norm.lifted_aligned(G)
    assert X.shape == G.shape
    squares = (X**2).sum(axis=1)
    # Feasible in the relaxation: no budget is exceeded.
    taus = np.concatenate(
        [np.random.default_rng(seed).random((20, len(G))), np.eye(len(G))]
    )
    for tau in taus:
        if (norm.tied(len(G)).T @ tau).any():
            admissible = norm.tied(len(G)) @ (norm.tied(len(G)).T @ tau)
            assert admissible @ squares <= norm.budget(admissible) * (1 + 1e-12)
    # Best possible: stationary with the multipliers, so that the duality gap is zero.
    tau = norm.multipliers(G)
    assert tau.shape == (len(G),)
    assert (tau >= 0).all()
    np.testing.assert_allclose(tau[:, None] * X, G, rtol=1e-12, atol=1e-300)
    close((G * X).sum(), norm.budget(tau))


@names
def test_lifted_aligned_of_a_plain_gradient(name: str) -> None:
    # With a single column the lifted point is the plain one; l_1 has no relaxation for
    # more than one input.
    G = np.array([[3.0], [-4.0], [1.0]])[: 1 if name == "1" else 3]
    close(NORMS[name].lifted_aligned(G), NORMS[name].aligned(G))


@anything
@given(st.sampled_from(sorted(NORMS)), matrices())
def test_multipliers_are_admissible(name: str, G: Array) -> None:
    norm = NORMS[name]
    tied, tau = norm.tied(len(G)), norm.multipliers(G)
    assert tied.shape[0] == len(G)
    assert (tied >= 0).all()
    coordinates, *_ = np.linalg.lstsq(tied, tau)
    np.testing.assert_allclose(tied @ coordinates, tau, rtol=1e-9, atol=1e-300)
    # The smallest vectors that span the admissible ones share no coordinate.
    assert ((tied > 0).sum(axis=1) == 1).all()


@names
@given(X=matrices())
@anything
def test_exact_budgets_are_budgets(name, X):
    tau = np.abs(X[:, 0])
    terms = [Fraction(t) for t in tau.tolist()]
    expected = sum(terms) if name == "inf" else max(terms)
    assert NORMS[name].exact_budget(tau) == expected
