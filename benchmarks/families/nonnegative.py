"""Networks without negative weights, whose constants are known exactly."""

from functools import reduce

import networks
import numpy as np

from families import Matrix, Member, gaussian

TITLE = "non-negative weights"
ABOUT = (
    "Absolute values of Gaussian weights: all neurons active is the worst case, and "
    "the constant is the norm of the product of the matrices."
)
NORMS = ("inf", "2", "1")
GROWS = ""
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return networks of several shapes."""
    shapes = [[6, 10, 3], [4, 6, 6, 6, 6, 2]]
    if full:
        shapes += [[6, 8, 8, 3], [64, 64, 64, 10], [8, *[32] * 8, 3]]
    random = np.random.default_rng(2)
    return [_member([np.abs(W) for W in gaussian(random, s)]) for s in shapes]


def _member(matrices: list[Matrix]) -> Member:
    product = reduce(lambda made, W: W @ made, matrices)
    sizes = [matrices[0].shape[1], *(len(W) for W in matrices)]
    exact = {
        "1": float(np.linalg.norm(product, 1)),
        "inf": float(np.linalg.norm(product, np.inf)),
        "2": float(np.linalg.norm(product, 2)),
    }
    return Member("-".join(map(str, sizes)), networks.model(matrices), 0.0, exact)
