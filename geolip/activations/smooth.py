"""Smooth activations without parameters."""

import math

import numpy as np
from scipy import special

from geolip.activations.definition import Activation

# Where erf's derivative is zero in float64; the square stays in range.
_FAR = 40.0


def sigmoid() -> Activation:
    """Return 1 / (1 + exp(-z)), sector [0, 1/4]."""
    return Activation(
        "Sigmoid",
        0.0,
        0.25,
        lambda z: np.asarray(special.expit(z)),
        lambda z: np.asarray(special.expit(z) * special.expit(-z)),
        curvature=0.1,  # 1 / (6 sqrt(3)), rounded up
    )


def tanh() -> Activation:
    """Return the hyperbolic tangent, sector [0, 1]."""
    return Activation(
        "Tanh",
        0.0,
        1.0,
        np.tanh,
        lambda z: 4.0 * special.expit(2 * z) * special.expit(-2 * z),
        curvature=0.77,  # 4 / (3 sqrt(3)), rounded up
    )


def softsign() -> Activation:
    """Return z / (1 + |z|), sector [0, 1]."""
    return Activation(
        "Softsign",
        0.0,
        1.0,
        lambda z: z / (1.0 + np.abs(z)),
        lambda z: np.square(1.0 / (1.0 + np.abs(z))),
        curvature=2.0,
    )


def atan() -> Activation:
    """Return the inverse tangent, sector [0, 1]."""
    return Activation(
        "Atan",
        0.0,
        1.0,
        np.arctan,
        lambda z: np.square(1.0 / np.hypot(1.0, z)),
        curvature=0.65,  # 3 sqrt(3) / 8, rounded up
    )


def asinh() -> Activation:
    """Return the inverse hyperbolic sine, sector [0, 1]."""
    return Activation(
        "Asinh",
        0.0,
        1.0,
        np.arcsinh,
        lambda z: 1.0 / np.hypot(1.0, z),
        curvature=0.385,  # 2 / (3 sqrt(3)), rounded up
    )


def erf() -> Activation:
    """Return the error function, sector [0, 2 / sqrt(pi)], rounded outwards."""
    factor = 2.0 / math.sqrt(math.pi)
    return Activation(
        "Erf",
        0.0,
        float.fromhex("0x1.20dd750429b6ep+0"),
        lambda z: np.asarray(special.erf(z)),
        lambda z: factor * np.exp(-np.square(np.clip(z, -_FAR, _FAR))),
        curvature=0.968,  # 2 sqrt(2) / sqrt(pi e), rounded up
    )


def sin() -> Activation:
    """Return the sine, sector [-1, 1]."""
    return Activation("Sin", -1.0, 1.0, np.sin, np.cos, curvature=1.0)


def cos() -> Activation:
    """Return the cosine, sector [-1, 1]."""
    return Activation("Cos", -1.0, 1.0, np.cos, lambda z: -np.sin(z), curvature=1.0)
