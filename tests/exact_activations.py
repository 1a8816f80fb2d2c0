"""Activations in decimal arithmetic, as exact as its precision."""

from collections.abc import Callable
from decimal import Decimal, getcontext

from geolip import activations as made

ONE, HALF = Decimal(1), Decimal("0.5")
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def series(term: Decimal, ratio: Callable[[int], Decimal]) -> Decimal:
    """Return the sum of terms, the n-th being ``ratio(n)`` times the one before."""
    total, n = Decimal(0), 0
    while abs(term) > Decimal(10) ** -getcontext().prec:
        total, n = total + term, n + 1
        term *= ratio(n)
    return total


def logistic(z: Decimal) -> Decimal:
    return 1 / (1 + (-z).exp())


def tanh(z: Decimal) -> Decimal:
    return 2 * logistic(2 * z) - 1


def softplus(z: Decimal) -> Decimal:
    return (1 + z.exp()).ln()


def erf(z: Decimal) -> Decimal:
    """Return ``2 / sqrt(pi) exp(-z^2)`` times a series of positive terms."""
    positive = series(z, lambda n: 2 * z * z / (2 * n + 1))
    return 2 / PI.sqrt() * (-z * z).exp() * positive


def atan(z: Decimal) -> Decimal:
    for _ in range(8):
        z /= 1 + (1 + z * z).sqrt()
    powers = [(-1) ** n * z ** (2 * n + 1) / (2 * n + 1) for n in range(20)]
    return 256 * sum(powers, Decimal(0))


def clip(z: Decimal, low: Decimal, high: Decimal) -> Decimal:
    return min(max(z, low), high)


def elu(z: Decimal, alpha: Decimal) -> Decimal:
    return z if z > 0 else alpha * (z.exp() - 1)


def leaky(z: Decimal, alpha: Decimal) -> Decimal:
    return z if z > 0 else alpha * z


# By what makes the activation: its value at a point, for the same parameters.
EXACT: dict[Callable[..., made.Activation], Callable[..., Decimal]] = {
    made.absolute: abs,
    made.asinh: lambda z: (abs(z) + (z * z + 1).sqrt()).ln().copy_sign(z),
    made.atan: atan,
    made.celu: lambda z, a: z if z > 0 else a * ((z / a).exp() - 1),
    made.clip: clip,
    made.cos: lambda z: series(ONE, lambda n: -z * z / (2 * n * (2 * n - 1))),
    made.elu: elu,
    made.erf: erf,
    made.gelu: lambda z, k=ONE: z * (1 + erf(k * z * HALF.sqrt())) / 2,
    made.gelu_tanh: lambda z, k, c: z * logistic(2 * (k * z + c * z**3)),
    made.hard_sigmoid: lambda z, a, b: clip(a * z + b, Decimal(0), ONE),
    made.hard_swish: lambda z, a, b: z * clip(a * z + b, Decimal(0), ONE),
    made.hinge: lambda z, kink, p, q: (z - kink) * (p if z < kink else q),
    made.leaky_relu: leaky,
    made.linear: lambda z, _: z,
    made.log_sigmoid: lambda z: -softplus(-z),
    made.mish: lambda z: z * tanh(softplus(z)),
    made.prelu: leaky,
    made.relu: lambda z: max(z, Decimal(0)),
    made.selu: lambda z, a, g: g * elu(z, a),
    made.shrink: lambda z, a: z - clip(z, -a, a),
    made.sigmoid: logistic,
    made.sin: lambda z: series(z, lambda n: -z * z / (2 * n * (2 * n + 1))),
    made.softplus: softplus,
    made.softsign: lambda z: z / (1 + abs(z)),
    made.swish: lambda z, k=ONE: z * logistic(k * z),
    made.tanh: tanh,
}
