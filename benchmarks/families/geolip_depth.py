"""GeoLIP's depth sweep: 784 inputs, hidden layers of 64 neurons, 10 outputs.

Source: Wang, Prakriya, Jha, NeurIPS 2022 (arXiv 2203.01212), who count linear maps.
Their trained weights are not published; these are drawn as training starts.
"""

import networks
import numpy as np

from families import Member, as_initialised

TITLE = "GeoLIP's depth sweep"
ABOUT = (
    "ReLU networks of 784 inputs, hidden layers of 64 and 10 outputs with d linear "
    "maps, as PyTorch initialises them (uniform within 1/sqrt(inputs))."
)
NORMS = ("inf",)
GROWS = "depth"
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return networks of growing depth."""
    depths = (2, 3, 4, 5, 6, 7, 8) if full else (2, 4, 8)
    random = np.random.default_rng(5)
    found = []
    for depth in depths:
        drawn = as_initialised(random, [784, *[64] * (depth - 1), 10])
        found.append(Member(f"{depth} linear maps", networks.model(*drawn), depth))
    return found
