"""Scalar activation functions and the sectors that contain all their secant slopes.

One file for each family. By the mean value theorem the range of the derivative contains
every secant slope; a parameter is the exact number that the model stores, and an end
that is not a float64 number is rounded outwards.

Source: docs/theory.md section 2, one proof for each row.
"""

from geolip.activations.definition import Activation
from geolip.activations.exponential import celu, elu, log_sigmoid, selu, softplus
from geolip.activations.gated import gelu, gelu_tanh, hard_swish, mish, swish
from geolip.activations.piecewise import (
    absolute,
    clip,
    hard_sigmoid,
    hinge,
    leaky_relu,
    linear,
    prelu,
    relu,
    shrink,
)
from geolip.activations.smooth import (
    asinh,
    atan,
    cos,
    erf,
    sigmoid,
    sin,
    softsign,
    tanh,
)

__all__ = [
    "Activation",
    "absolute",
    "asinh",
    "atan",
    "celu",
    "clip",
    "cos",
    "elu",
    "erf",
    "gelu",
    "gelu_tanh",
    "hard_sigmoid",
    "hard_swish",
    "hinge",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "mish",
    "prelu",
    "relu",
    "selu",
    "shrink",
    "sigmoid",
    "sin",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]
