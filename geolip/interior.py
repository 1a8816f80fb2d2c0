"""Multipliers inside the feasible set, found block by block from the output.

Eliminating blocks from the last to the first, the Schur complement of block k depends
on its own multipliers and on those of later blocks only, so each block can be made
positive definite in turn.

Source: docs/theory.md section 4.
"""

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import eigsh

from geolip.arrays import Array
from geolip.problem import Multipliers, Problem


def interior_point(problem: Problem) -> Multipliers:
    """Return multipliers far inside the feasible set, whatever the network.

    Backward through the blocks, every multiplier is chosen twice as large as its Schur
    complement needs.
    """
    ones = tuple(np.ones(block.size) for block in problem.network.blocks)
    start = Multipliers(np.ones(problem.network.input_size), ones)
    return backward_schur(problem, start, margin=0.5, least=0.0)


@np.errstate(over="ignore", invalid="ignore")
def backward_schur(
    problem: Problem,
    multipliers: Multipliers,
    margin: float = 1e-6,
    least: float = 1.0,
) -> Multipliers:
    """Scale multipliers block by block so that B becomes positive definite.

    From the last block to the input, the Schur complement of block k after elimination
    of the later ones is ``f S - R``, where S comes from block k's own multipliers and R
    from the later blocks; f is the least factor that leaves the margin. It scales the
    multipliers of all earlier blocks too, which keeps their proportions.

    Parameters
    ----------
    problem : Problem
        The problem.
    multipliers : Multipliers
        Positive and finite.
    margin : float
        The share of S that must be left, 0 < margin < 1.
    least : float
        The smallest factor that is used.

    Raises
    ------
    numpy.linalg.LinAlgError, ValueError
        If numbers overflow on the way, as multipliers of wildly different sizes do.
    """
    total = 1.0
    parts = [np.asarray(part) for part in multipliers]
    load: dict[tuple[int, int], Array] = {}
    for k in range(len(parts) - 1, -1, -1):
        own = (2.0 if k else 1.0) * total * parts[k]
        carried = load.pop((k, k), None)
        needed = 0.0 if carried is None else _largest_ratio(-carried, own)
        factor = max(least, needed / (1.0 - margin)) or 1.0
        total *= factor
        parts[k] = total * parts[k]
        if k == 0:
            break
        pivot = np.diag(factor * own) + (0.0 if carried is None else carried)
        root = linalg.cholesky(pivot, lower=True)
        terms = problem.terms(k, parts[k])
        columns = {}
        for j in range(k):
            cross = [
                b for b in (terms.get((k, j)), load.pop((k, j), None)) if b is not None
            ]
            if cross:
                columns[j] = linalg.solve_triangular(root, sum(cross), lower=True)
        for (i, j), block in terms.items():
            if i < k:
                load[i, j] = load[i, j] + block if (i, j) in load else block
        for i, left in columns.items():
            for j, right in columns.items():
                if j <= i:
                    taken = -left.T @ right
                    load[i, j] = load[i, j] + taken if (i, j) in load else taken
    return Multipliers(parts[0], tuple(parts[1:]))


def _largest_ratio(load: Array, own: Array) -> float:
    """Return the largest eigenvalue of ``diag(own)^-1/2 load diag(own)^-1/2``."""
    root = 1.0 / np.sqrt(own)
    scaled = root[:, None] * load * root
    size = len(own)
    if size < 300:
        return float(linalg.eigvalsh(scaled)[-1])
    found = eigsh(scaled, k=1, which="LA", return_eigenvectors=False, tol=1e-10)
    return float(found[0])
