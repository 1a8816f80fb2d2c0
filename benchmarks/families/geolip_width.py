"""GeoLIP's width sweep: 784 inputs, one hidden layer, 10 outputs.

Source: Wang, Prakriya, Jha, NeurIPS 2022 (arXiv 2203.01212). Their trained weights are
not published; these are drawn as training starts.
"""

import networks
import numpy as np

from families import Member, as_initialised

TITLE = "GeoLIP's width sweep"
ABOUT = (
    "784-w-10 ReLU networks, as PyTorch initialises them (uniform within "
    "1/sqrt(inputs)), since the trained weights are not published."
)
NORMS = ("inf",)
GROWS = "width"
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return networks of growing width."""
    widths = (8, 16, 32, 64, 128, 256) if full else (8, 16, 32, 64)
    random = np.random.default_rng(4)
    return [
        Member(f"784-{w}-10", networks.model(*as_initialised(random, [784, w, 10])), w)
        for w in widths
    ]
