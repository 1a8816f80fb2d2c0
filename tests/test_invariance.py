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


def check(seed: int, norm: str, change) -> None:
    """Check that ``change(random, own, next)`` of hidden layers changes no bound."""
    weights = network(seed)
    random = np.random.default_rng(seed)
    changed = list(weights)
    for k in range(len(changed) - 1):
        changed[k], changed[k + 1] = change(random, changed[k], changed[k + 1])
    assert solved(changed, norm) == pytest.approx(solved(weights, norm), rel=1e-7)


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_neurons_may_be_permuted(seed, norm):
    def permuted(random, W, V):
        order = random.permutation(len(W))
        return W[order], V[:, order]

    check(seed, norm, permuted)


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_layers_may_be_rescaled(seed, norm):
    """By powers of two, neuron by neuron: the ReLU is homogeneous."""

    def rescaled(random, W, V):
        power = 2.0 ** random.integers(-20, 21, size=len(W))
        return power[:, None] * W, V / power

    check(seed, norm, rescaled)
