"""What does not change the function must not change its certificate."""

import numpy as np
import pytest
from generators import random_weights

import geolip


def network(seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return random_weights(random, 1 + seed % 4, 12, 3)


def solved(weights: list[np.ndarray], norm: str) -> tuple[float, float]:
    report = geolip.certify(weights, norm, accuracy=1e-8, rows="all")
    return report.bound, report.relaxation_value


CASES = [(seed, norm) for seed in range(8) for norm in ("inf", "2")]


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_neurons_may_be_permuted(seed, norm):
    weights = network(seed)
    random = np.random.default_rng(seed)
    mixed = [W.copy() for W in weights]
    for k in range(len(mixed) - 1):
        order = random.permutation(len(mixed[k]))
        mixed[k] = mixed[k][order]
        mixed[k + 1] = mixed[k + 1][:, order]
    assert solved(mixed, norm) == pytest.approx(solved(weights, norm), rel=1e-7)


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_layers_may_be_rescaled(seed, norm):
    """By powers of two, neuron by neuron: the ReLU is homogeneous."""
    weights = network(seed)
    random = np.random.default_rng(seed)
    scaled = [W.copy() for W in weights]
    for k in range(len(scaled) - 1):
        power = 2.0 ** random.integers(-20, 21, size=len(scaled[k]))
        scaled[k] = power[:, None] * scaled[k]
        scaled[k + 1] = scaled[k + 1] / power
    assert solved(scaled, norm) == pytest.approx(solved(weights, norm), rel=1e-7)
