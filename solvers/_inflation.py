"""A strictly feasible primal start for the interior-point solver, near the optimum.

Source: docs/solvers.md section 2.
"""

import numpy as np

from geolip.arrays import Array, row_norms

from ._cone import Cone


def inflated(cone: Cone, vectors: tuple[Array, ...], share: float = 0.3) -> Array:
    """Return a lifted point with a private direction for every coordinate.

    Every unit vector xi of the lifted point becomes ``sqrt(1 - share^2) xi`` plus share
    times a direction that nothing else has, and the forward pass is run again. So the
    Gram matrix of the rows is feasible, positive definite, and equally well conditioned
    in all layers.

    Parameters
    ----------
    cone : Cone
        In whose scaled coordinates the rows are returned.
    vectors : tuple of array (n_k, r)
        The lifted point by blocks 0..K.
    share : float
        Between 0 and 1.

    Returns
    -------
    array (order, r + order)
        One row for each coordinate.
    """
    network, norm = cone.problem.network, cone.problem.norm
    rank = vectors[0].shape[1]
    width = rank + cone.order
    keep = np.sqrt(1 - share**2)

    def private(block: slice, size: float) -> Array:
        rows = np.zeros((block.stop - block.start, width))
        place = np.arange(block.start, block.stop)
        rows[np.arange(len(rows)), rank + place] = share * size
        return rows

    n = network.input_size
    X = private(cone.block(0), 1.0 if norm.name == "inf" else 1.0 / np.sqrt(n))
    X[:, :rank] = keep * vectors[0]
    values = [X]
    for k, block in enumerate(network.blocks, 1):
        z = block.preactivation.apply(vectors)
        centre = ((block.lower + block.upper) / 2)[:, None]
        half = ((block.upper - block.lower) / 2)[:, None]
        off = vectors[k] - centre * z
        length = row_norms(off)
        xi = private(cone.block(k), 1.0)
        xi[:, :rank] = keep * off / np.where(length > 0, length, 1.0)
        xi /= row_norms(xi)
        Z = block.preactivation.apply(values)
        reach = row_norms(Z)
        values.append(centre * Z + half * reach * xi)
    outputs = network.output.apply(values)
    outputs *= keep / np.linalg.norm(outputs)
    m = network.output.size
    outputs = outputs + private(cone.block(len(cone.sizes) - 1), 1.0 / np.sqrt(m))
    outputs /= np.linalg.norm(outputs)
    scaled = [V / s[:, None] for V, s in zip(values, cone.scales, strict=True)]
    return np.concatenate([*scaled, outputs / cone.output_scale])
