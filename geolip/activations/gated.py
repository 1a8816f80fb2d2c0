"""Activations that gate themselves: z times a sigmoid-like function of z.

Their slopes lie below 0 and above 1. With gates that are odd about 1/2, the slopes at z
and -z add up to 1, so the sector is [-d, 1 + d]; where d is no float64 number, the
upper end is rounded up and the lower one made to fit, so that their sum is exactly 1.
"""

import math
from fractions import Fraction

import numpy as np
from scipy.special import expit, ndtr

from geolip.activations.definition import Activation, enclosed
from geolip.arrays import Array

# Beyond, gates and slopes are 0 or 1 in float64; powers stay in range.
_FAR = 800.0
# The largest slopes, rounded up.
_GELU = float.fromhex("0x1.20ffdcafe39a8p+0")
_SWISH = float.fromhex("0x1.198f11d6cef09p+0")
# Above the largest slope, 1.12899307, for all constants that models store: that these
# are rounded changes it by less than 9e-7.
_GELU_TANH = 1.128994
_MISH = (-float.fromhex("0x1.cce830f9bc267p-4"), float.fromhex("0x1.16a7d0c455120p+0"))


def gelu(scale: float = 1.0) -> Activation:
    """Return z times the normal distribution function at ``scale z``, scale not zero.

    The sector does not depend on the scale: it is that of t Phi(t).
    """

    def derivative(z: Array) -> Array:
        t = np.clip(scale * z, -_FAR, _FAR)
        density = np.exp(-0.5 * np.square(t)) / math.sqrt(2 * math.pi)
        return np.asarray(ndtr(t) + t * density)

    return Activation(
        "Gelu",
        1.0 - _GELU,
        _GELU,
        lambda z: z * ndtr(scale * z),
        derivative,
        curvature=0.798 * abs(scale),  # 2 / sqrt(2 pi), rounded up
    )


def gelu_tanh(
    linear: float = math.sqrt(2 / math.pi),
    cubic: float = 0.044715 * math.sqrt(2 / math.pi),
) -> Activation:
    """Return ``z (1 + tanh(linear z + cubic z^3)) / 2``.

    Rescaling z shows that the sector depends on ``cubic / linear^3`` alone, which must
    be within 4e-6, relatively, of what it is for sqrt(2 / pi) and 0.044715.
    """
    # The logistic function at 2 u is (1 + tanh(u)) / 2.
    scale, ratio = 2.0 * linear, cubic / linear
    far = _FAR / abs(linear)

    def function(z: Array) -> Array:
        square = np.square(np.clip(z, -far, far))
        return np.asarray(z * expit(scale * z * (1.0 + ratio * square)))

    def derivative(z: Array) -> Array:
        z = np.clip(z, -far, far)
        u = scale * z * (1.0 + ratio * np.square(z))
        bend = scale * z * (1.0 + 3.0 * ratio * np.square(z))
        return np.asarray(expit(u) + bend * expit(u) * expit(-u))

    return Activation(
        "Gelu",
        1.0 - _GELU_TANH,
        _GELU_TANH,
        function,
        derivative,
        curvature=1.001 * abs(linear),
    )


def swish(beta: float = 1.0) -> Activation:
    """Return z times the sigmoid of ``beta z``, beta not zero: SiLU for 1.

    The sector does not depend on beta: it is that of t sigmoid(t).
    """

    def derivative(z: Array) -> Array:
        t = np.clip(beta * z, -_FAR, _FAR)
        return np.asarray(expit(t) + t * expit(t) * expit(-t))

    return Activation(
        "Swish",
        1.0 - _SWISH,
        _SWISH,
        lambda z: z * expit(beta * z),
        derivative,
        curvature=0.5 * abs(beta),
    )


def mish() -> Activation:
    """Return z tanh(log(1 + exp(z)))."""

    # With e = exp(z), the gate is w / (w + 2) for w = e (e + 2).
    def powers(z: Array) -> tuple[Array, Array]:
        e = np.exp(np.clip(z, -_FAR, 40.0))
        return e, e * (e + 2.0)

    def function(z: Array) -> Array:
        _, w = powers(z)
        return z * (w / (w + 2.0))

    def derivative(z: Array) -> Array:
        e, w = powers(z)
        bend = 4.0 * e * (e + 1.0) / np.square(w + 2.0)
        return w / (w + 2.0) + np.clip(z, -_FAR, 40.0) * bend

    return Activation("Mish", *_MISH, function, derivative, curvature=0.645)


def hard_swish(alpha: float = 1.0 / 6.0, beta: float = 0.5) -> Activation:
    """Return z times ``alpha z + beta`` held between 0 and 1; alpha is not zero.

    Inside, the slope ``2 alpha z + beta`` goes from -beta to 2 - beta, for any alpha.
    """
    lower, upper = enclosed(0, 1, -Fraction(beta), 2 - Fraction(beta))
    low, high = sorted((-beta / alpha, (1.0 - beta) / alpha))
    outside = float(alpha > 0)

    def derivative(z: Array) -> Array:
        inside = 2.0 * alpha * np.clip(z, low, high) + beta
        beyond = np.where(z >= high, outside, 1.0 - outside)
        return np.where((z > low) & (z < high), inside, beyond)

    return Activation(
        "HardSwish",
        lower,
        upper,
        lambda z: z * np.clip(alpha * z + beta, 0.0, 1.0),
        derivative,
        kinks=(low, high),
        curvature=2.0 * abs(alpha),
    )
