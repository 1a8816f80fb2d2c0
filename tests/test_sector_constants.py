"""The ends of sectors that are no rational numbers, to 60 digits."""

from decimal import Decimal, localcontext
from math import nextafter

import pytest
from exact_activations import PI, erf, tanh

from geolip import activations

DIGITS = 60


@pytest.fixture(autouse=True)
def many_digits():
    with localcontext() as context:
        context.prec = DIGITS
        yield


def assert_rounded_up(end: float, exact: Decimal) -> None:
    """Expect the smallest float64 number that is not below ``exact``."""
    assert Decimal(nextafter(end, -10)) < exact <= Decimal(end)


def largest(function, low: str, high: str) -> Decimal:
    """Return the maximum of a function that first grows and then falls."""
    a, b = Decimal(low), Decimal(high)
    for _ in range(180):
        left, right = a + (b - a) / 3, b - (b - a) / 3
        a, b = (left, b) if function(left) < function(right) else (a, right)
    return function(a)


def test_erf():
    """The derivative is largest at 0."""
    assert_rounded_up(activations.erf().upper, 2 / PI.sqrt())


def test_gelu():
    """The second derivative ``(2 - t^2) phi(t)`` changes its sign at sqrt(2)."""
    slope = (1 + erf(Decimal(1))) / 2 + Decimal(-1).exp() / PI.sqrt()
    assert_rounded_up(activations.gelu().upper, slope)


def test_swish():
    """The largest slope is 1/2 + t/4 where t tanh(t/2), which grows with t, is 2."""
    end = activations.swish().upper
    above, below = (4 * (Decimal(x) - Decimal("0.5")) for x in (end, nextafter(end, 0)))
    assert below * tanh(below / 2) < 2 <= above * tanh(above / 2)


def test_mish():
    def slope(z):
        e = z.exp()
        w = e * (e + 2)
        return w / (w + 2) + z * 4 * e * (e + 1) / (w + 2) ** 2

    mish = activations.mish()
    assert_rounded_up(mish.upper, largest(slope, "0.5", "3"))
    assert_rounded_up(-mish.lower, largest(lambda z: -slope(z), "-4", "-1"))


@pytest.mark.parametrize("change", ["-4e-6", "0", "4e-6"])
def test_gelu_tanh(change):
    """The ratio of the constants may be off by as much as is accepted."""
    ratio = Decimal("0.044715") * PI / 2 * (1 + Decimal(change))

    def slope(t):
        u = t * (1 + ratio * t * t)
        bend = t * (1 + 3 * ratio * t * t)
        return (1 + tanh(u)) / 2 + bend * (1 - tanh(u) ** 2) / 2

    exact = largest(slope, "0.5", "2")
    assert exact < Decimal(activations.gelu_tanh().upper) < exact + Decimal("1.1e-6")


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "swish"])
def test_slopes_that_add_up_to_one_do_so_exactly(name):
    activation = getattr(activations, name)()
    assert Decimal(activation.lower) == 1 - Decimal(activation.upper)
