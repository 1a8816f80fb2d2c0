"""Every activation: its sector contains all slopes, no more, and the rest is right."""

from fractions import Fraction

import numpy as np
import pytest
from activation_examples import ACTIVATIONS, ENDS, EXAMPLES, NAMES
from importer_models import build, node

from geolip import activations, certify
from geolip.activations import Activation
from geolip.activations.definition import enclosed

every = pytest.mark.parametrize("activation", ACTIVATIONS, ids=NAMES)

# A million points between which all differences are exact.
STEP = 2.0**-14
GRID = np.arange(-500_000, 500_001)[None] * STEP


def ends(activation: Activation) -> tuple[float, float]:
    (lower,), (upper,) = activation.sector(1)
    return lower, upper


def smooth(activation: Activation) -> np.ndarray:
    """Return which steps of the grid have no kink."""
    left, right = GRID[0, :-1], GRID[0, 1:]
    away = [(left > kink) | (right < kink) for kink in activation.kinks]
    return np.all([*away, left < right], axis=0)


@every
def test_secants_and_derivatives_on_a_grid_are_within_the_sector(activation):
    lower, upper = ends(activation)
    values, slopes = activation.function(GRID)[0], activation.derivative(GRID)[0]
    assert lower - 1e-14 <= slopes.min() <= slopes.max() <= upper + 1e-14
    # Values are off by units of the last place, which short steps magnify.
    for stride, error in ((1, 1e-9), (1009, 1e-12), (100_003, 2e-14)):
        secants = (values[stride:] - values[:-stride]) / (stride * STEP)
        assert lower - error <= secants.min() <= secants.max() <= upper + error


@pytest.mark.parametrize(
    ("activation", "places"), [*zip(ACTIVATIONS, ENDS, strict=True)], ids=NAMES
)
def test_the_sector_is_no_larger_than_the_slopes(activation, places):
    points = np.clip([places], -1e9, 1e9)
    found = activation.derivative(points)[0]
    np.testing.assert_allclose(found, ends(activation), rtol=0, atol=1e-6)


@every
def test_the_derivative_is_the_functions(activation):
    values, slopes = activation.function(GRID)[0], activation.derivative(GRID)[0]
    secants, means = np.diff(values) / STEP, (slopes[1:] + slopes[:-1]) / 2
    wrong = np.abs(secants - means)[smooth(activation)]
    assert wrong.max() <= 1e-8 + activation.curvature * STEP / 10


@every
def test_the_curvature_is_a_bound_and_the_kinks_are_known(activation):
    slopes = activation.derivative(GRID)[0]
    change = np.abs(np.diff(slopes)) / STEP
    flat = smooth(activation)
    assert change[flat].max() <= activation.curvature * (1 + 1e-9) + 1e-10
    assert change[flat].max() >= 0.95 * activation.curvature
    # The others are steps across a kink, where the derivative jumps.
    for kink in activation.kinks:
        across = (GRID[0, :-1] <= kink) & (GRID[0, 1:] >= kink)
        assert change[across].max() * STEP >= 0.1


@every
def test_far_away_nothing_overflows(activation):
    points = np.array([[-1e200, -1e9, -800.0, 800.0, 1e9, 1e200]])
    lower, upper = ends(activation)
    assert np.isfinite(activation.function(points)).all()
    slopes = activation.derivative(points)
    assert ((slopes >= lower) & (slopes <= upper)).all()


def test_every_activation_has_an_example():
    made = {make.__name__ for make, *_ in EXAMPLES}
    assert made == {*activations.__all__} - {"Activation"}


def test_ends_are_rounded_outwards():
    third = Fraction(1, 3)
    lower, upper = enclosed(third, -third)
    assert Fraction(lower) < -third
    assert Fraction(upper) > third
    assert enclosed(0, Fraction(1, 4), 2) == (0.0, 2.0)
    assert upper == np.nextafter(1 / 3, 1)


def test_a_product_of_parameters_is_rounded_outwards():
    alpha = gamma = 1 + 2.0**-40
    assert activations.selu(alpha, gamma).upper > Fraction(alpha) * Fraction(gamma)
    assert float(Fraction(alpha) ** 2) < activations.selu(alpha, gamma).upper


@pytest.mark.parametrize(
    ("kind", "attributes", "steepest"),
    [
        ("Elu", {"alpha": 2.0}, 2.0),
        ("Gelu", {}, 1.128904145185154787),
        ("HardSwish", {}, 1.5),
        ("LeakyRelu", {"alpha": -0.5}, 1.0),
        ("LeakyRelu", {"alpha": 3.0}, 3.0),
        ("Mish", {}, 1.088498161251727862),
        ("Selu", {}, 1.758099346343030334),
        ("Swish", {}, 1.099839320128866917),
    ],
)
def test_slopes_above_one_are_certified_as_such(kind, attributes, steepest):
    """For GELU and its like, the sector [0, 1] gives a bound below the truth."""
    one = {"one": np.ones((1, 1), np.float32)}
    nodes = [
        node("MatMul", ["x", "one"], ["z"]),
        node(kind, ["z"], ["y"], **attributes),
        node("MatMul", ["y", "one"], ["out"]),
    ]
    report = certify(build(nodes, [1, 1], one, opset=24, ir_version=10))
    assert steepest <= report.bound <= steepest * (1 + 1e-9)
    assert report.lower_bound <= steepest
