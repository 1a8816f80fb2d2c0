"""Scalar activation functions and the sectors that contain all their secant slopes.

Source: docs/theory.md section 2; each sector is the range of the
derivative, which by the mean value theorem contains every secant slope.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from geolip.arrays import Array


@dataclass(frozen=True)
class Activation:
    """A scalar function applied to every neuron of a block, with its sector.

    Parameters
    ----------
    name : str
        The ONNX operator.
    lower, upper : float or array (n,)
        The sector: every secant slope of neuron i lies in [lower_i, upper_i].
    function, derivative : callable
        Elementwise on arrays (n, r), one column for each input point.
    kinks : tuple of float
        Where the function has no derivative; ``derivative`` returns a one-sided one.
    curvature : float
        A bound of the second derivative's size elsewhere.
    """

    name: str
    lower: float | Array
    upper: float | Array
    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    kinks: tuple[float, ...] = ()
    curvature: float = 0.0

    def sector(self, size: int) -> tuple[Array, Array]:
        """Return the sector's ends for a block of ``size`` neurons, each (size,)."""
        return (
            np.broadcast_to(np.asarray(self.lower, float), (size,)),
            np.broadcast_to(np.asarray(self.upper, float), (size,)),
        )


def relu() -> Activation:
    """Return max(z, 0), sector [0, 1]."""
    return Activation(
        "Relu",
        0.0,
        1.0,
        lambda z: np.maximum(z, 0.0),
        lambda z: (z > 0).astype(float),
        kinks=(0.0,),
    )


def linear(name: str) -> Activation:
    """Return z itself, sector [1, 1], under an operator's name."""
    return Activation(name, 1.0, 1.0, lambda z: z, np.ones_like)


def leaky_relu(alpha: float) -> Activation:
    """Return z for z >= 0 and alpha z below; alpha may lie outside [0, 1]."""
    return Activation(
        "LeakyRelu",
        min(alpha, 1.0),
        max(alpha, 1.0),
        lambda z: np.where(z >= 0, z, alpha * z),
        lambda z: np.where(z >= 0, 1.0, alpha),
        kinks=(0.0,),
    )


def sigmoid() -> Activation:
    """Return 1 / (1 + exp(-z)), sector [0, 1/4]."""
    return Activation(
        "Sigmoid",
        0.0,
        0.25,
        lambda z: np.asarray(expit(z)),
        lambda z: np.asarray(expit(z) * expit(-z)),
        curvature=0.1,  # 1 / (6 sqrt(3)), rounded up
    )


def tanh() -> Activation:
    """Return the hyperbolic tangent, sector [0, 1]."""
    return Activation(
        "Tanh",
        0.0,
        1.0,
        np.tanh,
        lambda z: 4.0 * expit(2 * z) * expit(-2 * z),
        curvature=0.77,  # 4 / (3 sqrt(3)), rounded up
    )
