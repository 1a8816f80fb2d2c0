"""Small networks and what certifies them."""

from dataclasses import replace

import numpy as np
from generators import random_weights

import geolip
from geolip.certificate import Certificate

NORMS = ("inf", "2", "2:inf", "inf:2")


def small(seed: int) -> list[np.ndarray]:
    """Return float32 weights of a network of few neurons, some of them dead."""
    random = np.random.default_rng(seed)
    depth, outputs = int(random.integers(1, 4)), int(random.integers(1, 4))
    weights = random_weights(random, depth, 8, outputs)
    if random.random() < 0.3:
        weights[0][0] = 0.0
    if random.random() < 0.2:
        weights[-1][0] = 0.0
    return [W.astype(np.float32).astype(float) for W in weights]


def certified(weights: object, norm: str) -> Certificate:
    certificate = geolip.certify(weights, norm, accuracy=1e-3).certificate
    assert certificate is not None
    return certificate


def with_bounds(certificate: Certificate, factor: float) -> Certificate:
    proofs = [replace(p, bound=p.bound * factor) for p in certificate.proofs]
    return replace(certificate, proofs=proofs)
