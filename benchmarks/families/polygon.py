"""Networks that compute the gauge of a regular polygon: a closed form in the plane.

The largest of N linear functions <n_k, x>, with unit vectors n_k at equal angles, tends
to the Euclidean length of x. Its gradients are the n_k, so its Lipschitz constant is
their largest dual norm. A knock-out of max(a, b) = relu(a - b) + relu(b) - relu(-b)
needs log2 N hidden layers.

Source: a test as in Pintore and Despres (arXiv 2410.21053), who have one in closed form
too.
"""

import networks
import numpy as np

from families import Matrix, Member

TITLE = "polygon's gauge"
ABOUT = (
    "The largest of N linear functions of the plane at equal angles, by a knock-out "
    "of log2 N layers; the constant is their largest dual norm."
)
NORMS = ("inf", "2", "1")
GROWS = ""
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return polygons with more and more sides."""
    counts = (4, 8, 16, 32, 64) if full else (4, 16)
    found = []
    for count in counts:
        normals = unit_vectors(count)
        exact = {
            "1": float(np.abs(normals).max()),
            "inf": float(np.abs(normals).sum(axis=1).max()),
            "2": float(np.linalg.norm(normals, axis=1).max()),
        }
        model = networks.model(knock_out(normals))
        found.append(Member(f"{count} sides", model, 0.0, exact))
    return found


def unit_vectors(count: int) -> Matrix:
    """Return the polygon's normals (count, 2); one points to 45 degrees."""
    angles = 2 * np.pi * np.arange(count) / count + np.pi / 4
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def knock_out(rows: Matrix) -> list[Matrix]:
    """Return the weights of the network that computes the largest entry of ``rows`` x.

    Parameters
    ----------
    rows : array (2^k, n)
        The linear functions.
    """
    weights = [_pairs(len(rows)) @ rows]
    count = len(rows) // 2
    while count > 1:
        weights.append(_pairs(count) @ _winners(count))
        count //= 2
    return [*weights, _winners(1)]


def _pairs(count: int) -> Matrix:
    """Return the matrix from values to a - b, b and -b for every two of them."""
    return np.kron(np.eye(count // 2), np.array([[1.0, -1.0], [0.0, 1.0], [0.0, -1.0]]))


def _winners(count: int) -> Matrix:
    """Return the matrix from the neurons of so many pairs to the larger values."""
    return np.kron(np.eye(count), np.array([[1.0, 1.0, -1.0]]))
