"""Random networks that grow in depth."""

import networks
import numpy as np

from families import Member, gaussian

TITLE = "Gaussian, by depth"
ABOUT = (
    "ReLU networks of 8 inputs, d hidden layers of 10 neurons and 3 outputs, with "
    "independent Gaussian weights of variance 2 / inputs."
)
NORMS = ("inf", "2")
GROWS = "depth"
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return networks of growing depth."""
    depths = (1, 2, 3, 4, 6, 8, 12, 16) if full else (1, 2, 4, 8)
    random = np.random.default_rng(1)
    found = []
    for depth in depths:
        matrices = gaussian(random, [8, *[10] * depth, 3])
        found.append(Member(f"8-{depth}x10-3", networks.model(matrices), depth))
    return found
