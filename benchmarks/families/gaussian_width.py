"""Random networks of two hidden layers that grow in width."""

import networks
import numpy as np

from families import Member, gaussian

TITLE = "Gaussian, by width"
ABOUT = (
    "8-w-w-3 ReLU networks with independent Gaussian weights of variance 2 / inputs, "
    "small enough for every tool."
)
NORMS = ("inf", "2")
GROWS = "width"
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return networks of growing width."""
    widths = (4, 6, 8, 16, 32, 64, 128) if full else (4, 8, 16, 32)
    random = np.random.default_rng(0)
    return [
        Member(f"8-{w}-{w}-3", networks.model(gaussian(random, [8, w, w, 3])), w)
        for w in widths
    ]
