"""Lower bounds where rounding, kinks and overflow would make them too large."""

from fractions import Fraction

import numpy as np
import pytest
from activation_examples import ACTIVATIONS, NAMES
from generators import chain, random_chain
from oracles import formal_constant

from geolip import norms
from geolip.activations import relu
from geolip.bounds.gradient import doubtful_slopes, largest_gradient
from geolip.bounds.jacobian import attained
from geolip.bounds.pattern import largest_pattern
from geolip.importer import from_matrices
from geolip.linear import Dense, compose
from geolip.network import Affine, Block, Network
from geolip.presolve import reduce
from geolip.sectors import LinearMap, SectorNetwork

PAIRS = ["inf", "2", "2:inf", "inf:2"]
# The network subtracts relu(s) - relu(-s) from s, s = a + b, and likewise for a - b.
ROWS = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])


def nothing(scale: float = 10.0, bias: float = 0.0) -> Network:
    """Return a network that is constant, through a skip connection."""
    hidden = Affine({0: Dense(ROWS)}, bias * np.array([1.0, -1, 1, -1]), (4,))
    skip = Dense(scale * ROWS[:1] + ROWS[2:3])
    read = Dense(np.array([[-scale, scale, -1.0, 1.0]]))
    output = Affine({0: skip, 1: read}, np.zeros(1), (1,))
    return Network((2,), (Block("r", hidden, relu()),), output)


def proved(network: Network, pair: norms.NormPair, X: np.ndarray) -> np.ndarray:
    """Return the bounds from the gradients at the columns of ``X``, along many X."""
    sectors = network.sectors()
    slopes, doubts = doubtful_slopes(network, X)
    random = np.random.default_rng(0)
    along = pair.input.aligned(random.standard_normal(X.shape))
    return attained(sectors, slopes, doubts, pair, along)


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("bias", [0.0, 0.3, 1e8, 1e20, 1e300])
@pytest.mark.parametrize("scale", [10.0, 1e6])
def test_a_constant_network_has_no_gradient(norm, bias, scale):
    pair, network = norms.parse(norm), nothing(scale, bias)
    directions = [np.array([1.0, 1.0]), np.array([1.0, -1.0]), np.array([1.0, 0.0])]
    for seed in range(5):
        found = largest_gradient(network, network.sectors(), pair, seed, directions)
        assert found == 0.0
    grid = np.array([[a, b] for a in (-1.0, 0.0, 1.0) for b in (-1.0, 0.0, 1.0)]).T
    assert not proved(network, pair, grid).any()


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_what_a_bias_absorbs_is_in_doubt(norm):
    """``relu((relu(x + c) - c) + 1) - relu(x + 1)`` is zero for every x.

    In float64 the first part is relu(0 + 1) for small x, on the wrong side of the kink
    at x = -5.
    """
    c = 1e20
    first = Affine({0: Dense(np.array([[1.0], [0.0]]))}, np.array([c, c]), (2,))
    terms = {
        0: Dense(np.array([[0.0], [1.0]])),
        1: Dense(np.array([[1.0, -1.0], [0.0, 0.0]])),
    }
    second = Affine(terms, np.ones(2), (2,))
    output = Affine({2: Dense(np.array([[1.0, -1.0]]))}, np.zeros(1), (1,))
    blocks = (Block("a", first, relu()), Block("b", second, relu()))
    network, pair = Network((1,), blocks, output), norms.parse(norm)
    X = np.array([[-5.0, -1.0, 0.0, 3.0]])
    assert network.slopes(X)[1][:, 0].tolist() == [1.0, 0.0]
    assert not proved(network, pair, X).any()
    for seed in range(5):
        assert largest_gradient(network, network.sectors(), pair, seed) == 0.0


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=NAMES)
def test_slopes_of_the_real_network_are_within_the_doubts(activation):
    """Two layers against exact rational pre-activations and a finer derivative."""
    random = np.random.default_rng(0)
    W, b = random.standard_normal((2, 5, 5)), 1e6 * random.standard_normal((2, 5))
    X = random.standard_normal((5, 1))
    # So that the first layer cancels and its rounding is seen in what follows.
    b[0] = -(W[0] @ (1e6 * X))[:, 0]
    layers = [Affine({k: Dense(W[k])}, b[k] * (1 - k), (5,)) for k in range(2)]
    blocks = tuple(Block(str(k), layer, activation) for k, layer in enumerate(layers))
    output = Affine({2: Dense(np.eye(5))}, np.zeros(5), (5,))
    slopes, doubts = doubtful_slopes(Network((5,), blocks, output), 1e6 * X)
    exact = [sum_exactly(row, 1e6 * X[:, 0]) for row in W[0]]
    z = np.array([float(e + Fraction(c)) for e, c in zip(exact, b[0], strict=True)])
    real = activation.derivative(z[:, None])
    assert (np.abs(real - slopes[0]) <= doubts[0]).all()
    real = activation.derivative(W[1] @ activation.function(z[:, None]))
    assert (np.abs(real - slopes[1]) <= doubts[1]).all()


def sum_exactly(left, right) -> Fraction:
    """Return the exact inner product of floats."""
    pairs = zip(left, right, strict=True)
    return sum((Fraction(a) * Fraction(b) for a, b in pairs), Fraction(0))


def cancelling(random: np.random.Generator, size: int) -> list[np.ndarray]:
    """Return matrices whose product is small next to its terms, not in float64."""
    W = random.standard_normal((size, 2))
    null = np.linalg.svd(W.T)[2][2:]
    return [W, random.standard_normal((1, size - 2)) @ null]


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("size", [4, 30])
def test_cancelling_linear_networks_against_exact_fractions(norm, size):
    pair = norms.parse(norm)
    for seed in range(20):
        W1, W2 = cancelling(np.random.default_rng(seed), size)
        row = [sum_exactly(W2[0], column) for column in W1.T]
        exact = sum(map(abs, row)) if norm == "inf" else sum(x * x for x in row)
        linear = compose(Dense(W2), Dense(W1))
        twice = Affine({0: linear}, np.zeros(1), (1,))
        network = Network((2,), (), twice)
        found = [
            largest_gradient(network, network.sectors(), pair, seed),
            largest_pattern(network.sectors(), pair, seed)[0],
        ]
        # The same sum through neurons of slope one.
        found.append(largest_pattern(chain([W1, W2], (1.0, 1.0)), pair, seed)[0])
        for bound in map(Fraction, found):
            assert (bound if norm == "inf" else bound**2) <= exact


@pytest.mark.parametrize("norm", PAIRS)
def test_a_partly_cancelling_network_keeps_what_is_certain(norm):
    pair = norms.parse(norm)
    W1 = np.array([[1.0], [1.0]])
    W2 = np.array([[1e6, -1e6 + 2.0**-10]])
    found, _ = largest_pattern(chain([W1, W2], (1.0, 1.0)), pair, 0)
    exact = Fraction(1e6) + Fraction(-1e6 + 2.0**-10)
    assert Fraction(found) <= exact
    assert found == pytest.approx(float(exact), rel=1e-4)


@pytest.mark.parametrize("norm", PAIRS)
def test_large_numbers_do_not_overflow(norm):
    pair = norms.parse(norm)
    large, count = 1e55, 3
    network = from_matrices([large * np.ones((2, 2))] * count)
    sectors = network.sectors()
    entry = 2 ** (count - 1) * Fraction(large) ** count
    squared = {"inf": 4, "2": 4, "2:inf": 2, "inf:2": 8}[norm] * entry**2
    for found in (
        largest_pattern(sectors, pair, 0)[0],
        largest_gradient(network, sectors, pair, 0),
    ):
        assert 0.999 * float(entry) < found < np.inf
        assert Fraction(found) ** 2 <= squared


@pytest.mark.parametrize("norm", PAIRS)
def test_what_overflows_is_no_bound(norm):
    pair = norms.parse(norm)
    network = from_matrices([1e60 * np.ones((2, 2))] * 6)
    assert largest_pattern(network.sectors(), pair, 0)[0] == 0.0
    assert largest_gradient(network, network.sectors(), pair, 0) == 0.0


@pytest.mark.parametrize("norm", PAIRS)
def test_any_direction_gives_a_lower_bound(norm):
    pair = norms.parse(norm)
    network = reduce(random_chain(np.random.default_rng(3), 8, 2)).network
    exact = formal_constant(network, pair)
    random = np.random.default_rng(0)
    X = random.standard_normal((network.input_size, 7)) * 10.0 ** np.arange(
        -200, 220, 60
    )
    X[:, 0] = 0.0
    X[0, 1] = np.nan
    X[0, 2] = np.inf
    slopes = [np.repeat(b.upper[:, None], 7, 1) for b in network.blocks]
    bounds = attained(network, slopes, [0 * s for s in slopes], pair, X)
    assert not bounds[:3].any()
    assert (bounds[3:] > 0).all()
    assert (bounds <= exact).all()
    wide = [np.ones_like(s) for s in slopes]
    assert (attained(network, slopes, wide, pair, X) <= bounds).all()


@pytest.mark.parametrize("norm", PAIRS)
def test_unusable_vectors_are_ignored(norm):
    pair = norms.parse(norm)
    network = reduce(random_chain(np.random.default_rng(1), 8, 2)).network
    alone, _ = largest_pattern(network, pair, 0)
    good = [np.ones((size, 3)) for size in network.sizes]
    wrong = [[], good[:-1], [v[:, 0] for v in good], [v[:-1] for v in good]]
    wrong.append([np.full_like(v, np.nan) for v in good])
    wrong.append([np.full_like(v, np.inf) for v in good])
    wrong.append([*good[:-1], good[-1][:, :2]])
    for vectors in wrong:
        assert largest_pattern(network, pair, 0, vectors)[0] == alone
    assert largest_pattern(network, pair, 0, good)[0] >= alone * (1 - 1e-12)
    huge = [1e300 * v for v in good]
    assert largest_pattern(network, pair, 0, huge)[0] <= formal_constant(network, pair)


def test_edge_cases():
    pair = norms.parse("inf")
    zero = SectorNetwork(2, (), LinearMap(1, {}))
    assert largest_pattern(zero, pair, 0)[0] == 0.0
    affine = Network((2,), (), Affine({0: Dense(np.ones((1, 2)))}, np.ones(1), (1,)))
    found = largest_gradient(affine, affine.sectors(), pair, 0)
    assert found == pytest.approx(2.0, rel=1e-12)
    assert found <= 2.0
