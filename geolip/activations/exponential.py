"""Activations made of exponentials on one side."""

from fractions import Fraction

import numpy as np
from scipy.special import expit

from geolip.activations.definition import Activation, enclosed
from geolip.arrays import Array


def elu(alpha: float) -> Activation:
    """Return z for z > 0 and alpha (exp(z) - 1) below; alpha may be of any sign."""
    return _exponential_below("Elu", Fraction(1), Fraction(alpha))


def selu(alpha: float, gamma: float) -> Activation:
    """Return gamma times ``elu(alpha)``; both may be of any sign."""
    return _exponential_below(
        "Selu", Fraction(gamma), Fraction(gamma) * Fraction(alpha)
    )


def _exponential_below(name: str, above: Fraction, below: Fraction) -> Activation:
    """Return ``above z`` for z > 0 and ``below (exp(z) - 1)`` elsewhere.

    The slopes are ``above``, those between 0 and ``below``, and what lies between.
    """
    lower, upper = enclosed(0, above, below)
    right, left = float(above), float(below)

    def function(z: Array) -> Array:
        return np.where(z > 0, right * z, left * np.expm1(np.minimum(z, 0.0)))

    def derivative(z: Array) -> Array:
        return np.where(z > 0, right, left * np.exp(np.minimum(z, 0.0)))

    kinks = () if above == below else (0.0,)
    return Activation(name, lower, upper, function, derivative, kinks, abs(left))


def celu(alpha: float) -> Activation:
    """Return z for z > 0 and alpha (exp(z / alpha) - 1) below, for alpha > 0."""
    return Activation(
        "Celu",
        0.0,
        1.0,
        lambda z: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0) / alpha)),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0) / alpha)),
        curvature=1.0 / alpha,
    )


def softplus() -> Activation:
    """Return log(1 + exp(z)), sector [0, 1]."""
    return Activation(
        "Softplus",
        0.0,
        1.0,
        lambda z: np.logaddexp(0.0, z),
        lambda z: np.asarray(expit(z)),
        curvature=0.25,
    )


def log_sigmoid() -> Activation:
    """Return log(1 / (1 + exp(-z))), sector [0, 1]."""
    return Activation(
        "LogSigmoid",
        0.0,
        1.0,
        lambda z: -np.logaddexp(0.0, -z),
        lambda z: np.asarray(expit(-z)),
        curvature=0.25,
    )
