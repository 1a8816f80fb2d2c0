"""Networks of GELU, whose slopes have both signs.

The slope of x Phi(x) is largest at the square root of two: Phi(sqrt 2) + 2 exp(-1) /
sqrt(4 pi). A network of one such neuron has that constant, in every norm.
"""

import math

import networks
import numpy as np

from families import Member, gaussian

TITLE = "GELU"
ABOUT = (
    "One GELU neuron, whose constant is known, and Gaussian networks of them: slopes "
    "of both signs, which not every tool takes."
)
NORMS = ("inf", "2")
GROWS = ""
METHODS = ()

STEEPEST = (1 + math.erf(1.0)) / 2 + math.exp(-1.0) / math.sqrt(math.pi)


def members(full: bool) -> list[Member]:
    """Return one neuron, and networks."""
    random = np.random.default_rng(7)
    one = networks.model([np.ones((1, 1))] * 2, activation="Gelu")
    found = [Member("one neuron", one, 0.0, dict.fromkeys(NORMS, STEEPEST))]
    for sizes in [[4, 6, 2], [6, 8, 8, 3], [8, 32, 32, 3]][: 3 if full else 1]:
        model = networks.model(gaussian(random, sizes), activation="Gelu")
        found.append(Member("-".join(map(str, sizes)), model))
    return found
