"""Random matrices, over and over: what depth does to the closed-form bounds.

Source: a test as in Pintore and Despres (arXiv 2410.21053): the mean and the spread of
a bound over the norm product.
"""

import networks
import numpy as np

from families import Member, gaussian

TITLE = "Gaussian matrices, many draws"
ABOUT = (
    "Networks of d square Gaussian matrices of order 12, drawn several times, for the "
    "mean and the spread of closed-form bounds over the norm product."
)
NORMS = ("inf", "2", "1")
GROWS = ""
METHODS = ("norm_product", "combettes_pesquet", "k3", "k4")


def members(full: bool) -> list[Member]:
    """Return several draws for every depth."""
    depths, draws = ((2, 3, 4, 6, 8, 12), 20) if full else ((2, 4, 8), 3)
    random = np.random.default_rng(3)
    return [
        Member(
            f"depth {d}, draw {i}", networks.model(gaussian(random, [12] * (d + 1))), d
        )
        for d in depths
        for i in range(1, draws + 1)
    ]
