"""Sawtooth networks that compute x^2 on [0, 1] ever more closely.

With the tent t(x) = 2 relu(x) - 4 relu(x - 1/2) + 2 relu(x - 1) and its m-fold
composition t_m, the function F_m(x) = relu(x) - sum_{s <= m} t_s(x) / 4^s interpolates
x^2 at the multiples of 2^-m, the Takagi way. Between two of them, k and k + 1, its
slope is (2k + 1) / 2^m; left of 0 it is 0 and right of 1 it is 1. So its Lipschitz
constant is exactly 2 - 2^-m, in every norm, as there are one input and one output.

Source: Yarotsky, Neural Networks 2017 (arXiv 1610.01145), proposition 2; a test as in
Pintore and Despres (arXiv 2410.21053).
"""

import networks
import numpy as np

from families import Matrix, Member

TITLE = "sawtooth, x^2"
ABOUT = (
    "Networks of m hidden layers of 4 neurons that interpolate x^2 at the multiples of "
    "2^-m. Their constant is 2 - 2^-m in every norm, that of free slopes m + 1."
)
NORMS = ("inf",)
GROWS = "depth"
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return networks of growing depth."""
    depths = (1, 2, 3, 4, 5, 6, 8, 10) if full else (1, 2, 4, 8)
    return [
        Member(
            f"depth {m}",
            networks.model(*square(m)),
            m,
            dict.fromkeys(NORMS, 2.0 - 2.0**-m),
        )
        for m in depths
    ]


def square(depth: int) -> tuple[list[Matrix], list[Matrix]]:
    """Return weights and biases; all are binary fractions, none is rounded.

    A hidden layer holds relu(h), relu(h - 1/2), relu(h - 1), where h is the tent
    composed so often, and relu of the sum so far, which is not negative.
    """
    shifts = np.array([0.0, -0.5, -1.0, 0.0])
    weights, biases = [np.ones((4, 1))], [shifts]
    for k in range(1, depth + 1):
        tent = np.array([2.0, -4.0, 2.0, 0.0])
        total = np.array([0.0, 0.0, 0.0, 1.0]) - tent / 4.0**k
        last = k == depth
        weights.append(total[None] if last else np.array([tent, tent, tent, total]))
        biases.append(np.zeros(1) if last else shifts)
    return weights, biases
