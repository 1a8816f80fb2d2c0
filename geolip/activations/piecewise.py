"""Piecewise linear activations: their sectors are hulls of finitely many slopes."""

import numpy as np

from geolip.activations.definition import Activation
from geolip.arrays import Array


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


def hinge(kink: float, below: float, above: float) -> Activation:
    """Return two lines that meet at ``(kink, 0)``, with these two slopes."""
    return Activation(
        "Hinge",
        min(below, above),
        max(below, above),
        lambda z: np.where(z >= kink, above, below) * (z - kink),
        lambda z: np.where(z >= kink, above, below),
        kinks=(kink,),
    )


def prelu(slopes: Array) -> Activation:
    """Return a leaky ReLU whose neuron i has the slope ``slopes[i]`` below zero."""
    below = slopes[:, None]
    return Activation(
        "PRelu",
        np.minimum(slopes, 1.0),
        np.maximum(slopes, 1.0),
        lambda z: np.where(z >= 0, z, below * z),
        lambda z: np.where(z >= 0, 1.0, below),
        kinks=(0.0,),
    )


def absolute() -> Activation:
    """Return the absolute value, sector [-1, 1]."""
    return Activation(
        "Abs",
        -1.0,
        1.0,
        np.abs,
        lambda z: np.where(z >= 0, 1.0, -1.0),
        kinks=(0.0,),
    )


def clip(low: float, high: float) -> Activation:
    """Return z held between two ends, low < high, of which one may be infinite."""
    return Activation(
        "Clip",
        0.0,
        1.0,
        lambda z: np.clip(z, low, high),
        lambda z: ((z > low) & (z < high)).astype(float),
        kinks=tuple(end for end in (low, high) if np.isfinite(end)),
    )


def shrink(threshold: float) -> Activation:
    """Return z moved towards zero by a threshold >= 0, and zero nearer: soft shrink."""
    return Activation(
        "Shrink",
        0.0,
        1.0,
        lambda z: z - np.clip(z, -threshold, threshold),
        lambda z: (np.abs(z) > threshold).astype(float),
        kinks=(-threshold, threshold),
    )


def hard_sigmoid(alpha: float, beta: float) -> Activation:
    """Return alpha z + beta held between 0 and 1; alpha is not zero."""
    low, high = sorted((-beta / alpha, (1.0 - beta) / alpha))
    return Activation(
        "HardSigmoid",
        min(alpha, 0.0),
        max(alpha, 0.0),
        lambda z: np.clip(alpha * z + beta, 0.0, 1.0),
        lambda z: np.where((z > low) & (z < high), alpha, 0.0),
        kinks=(low, high),
    )
