"""Bounds of what every coordinate can reach, from sizes of matrix entries.

``|z| <= R |x|`` entry by entry holds for z = A y where R = |A| S if ``|y| <= S |x|``:
that is K_3. K_4 keeps the signs along paths on which every neuron multiplies by its
centre: with P_k the sum of the products along all paths from stage k, and ``y_k = c_k
z_k + q_k``,

    z = P_0 x + sum_k P_k q_k,      R = |P_0| + sum_k |P_k| H_k R_k.

*Rounding.* Let G_k be the rows of P_k as computed, off by e_k, and w_j = c_j G_j what
is propagated through stage j's reading A_j. Written out, ``sum_k G_k (y_k - c_k z_k)``
is z plus ``sum_k e_k y_k``, whatever numbers the G_k are, and ``|e_k| <= sum_j doubt_j
|w_j| |A_jk|``. So z is off by no more than ``sum_j doubt_j |w_j| Q_j`` where Q_j bounds
``|A_j| |y|``: every error is weighed with what was computed, none with a product of
absolute values.

Source: Pintore and Despres (arXiv 2410.21053), where their names come from. The
formulas are a reconstruction, unconfirmed; their validity is proved in docs/theory.md
section 8.
"""

import math
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.bounds.stages import Stages
from geolip.norms import Norm
from geolip.rigor.rounding import UNIT
from geolip.sectors import Gradients

# So many numbers one tile of path products holds, about.
_TILE = 2**22


@np.errstate(over="ignore", invalid="ignore")
def absolute_product(network: Stages, V: Array) -> Array:
    """Return K_3's bound of the outputs (m, r), for columns ``V`` >= 0 (n_0, r).

    For column v, an input within ``|x| <= v`` moves output i by no more than entry i.
    """
    wholes = [V]
    for stage in network.stages:
        wholes.append(stage.whole(network.above(stage.reading, wholes)))
    return _proved(network.above(network.output, wholes))


@np.errstate(over="ignore", invalid="ignore")
def absolute_rows(network: Stages) -> Array:
    """Return K_3's bound of all outputs for all inputs (m, n_0), from the output on.

    For explicit maxima, where outputs are fewer than inputs.
    """
    paths = Gradients(network.sizes, network.output.size)
    if not network.output.terms:
        return paths[0].T
    above = (1 + network.doubt(network.output)) * np.eye(network.output.size)
    network.output.absolute.add_adjoint(above, paths)
    for k in range(len(network.stages), 0, -1):
        stage = network.stages[k - 1]
        if k in paths:
            above = stage.whole(paths[k] + network.lost) * (
                1 + network.doubt(stage.reading)
            )
            stage.reading.absolute.add_adjoint(above, paths)
    return _proved((paths[0].T + network.lost) * (1 + 8 * UNIT))


@np.errstate(over="ignore", invalid="ignore")
def absolute_paths(
    network: Stages, V: Array, deadline: float = math.inf
) -> tuple[Array, int]:
    """Return K_4's bound of the outputs, and of how many coordinates it lacks.

    Parameters
    ----------
    network : Stages
        The network.
    V : array (n_0, r)
        As for `absolute_product`.
    deadline : float
        When, by `time.monotonic`, no other product of paths is begun. Coordinates
        after that are bounded as K_3 bounds them.

    Returns
    -------
    (array (m, r), int)
        The bound, and the number of such coordinates.
    """
    wholes, costs, lacking = [V], [V], 0
    for k, stage in enumerate(network.stages, 1):
        product = network.above(stage.reading, wholes)
        rows = stage.open_rows if k in network.read else stage.open_rows[:0]
        reach, late = _improved(network, k, product, wholes, costs, rows, deadline)
        lacking += late
        wholes.append(stage.whole(reach))
        # What a path that passes stage k costs: the rest there, and the rounding.
        missed = network.doubt(stage.reading) * np.abs(stage.centre)
        costs.append(stage.rest(reach))
        if stage.pooled is None:
            costs[k] = costs[k] + missed[:, None] * product
    last, every = len(network.stages) + 1, np.arange(network.output.size)
    product = network.above(network.output, wholes)
    reach, late = _improved(network, last, product, wholes, costs, every, deadline)
    return _proved(reach), lacking + late


def _improved(
    network: Stages,
    number: int,
    product: Array,
    wholes: Sequence[Array],
    costs: Sequence[Array],
    rows: NDArray[np.intp],
    deadline: float,
) -> tuple[Array, int]:
    """Return a stage's bound with some rows improved, and how many came too late."""
    reading, reach = network.readings[number - 1], product.copy()
    sizes = np.sum([whole.sum(axis=0) for whole in wholes], axis=0)
    underflow = network.lost * (1 + sizes)
    terms = sum(network.sizes) + len(costs) + 16
    height = 1 + _TILE // max(1, sum(network.sizes))
    for start in range(0, len(rows), height):
        if time.monotonic() > deadline:
            return reach, len(rows) - start
        tile = rows[start : start + height]
        paths = network.path_rows(reading, tile, number - 1)
        along = network.doubt(reading) * product[tile]
        for k, part in paths.items():
            along = along + np.abs(part).T @ costs[k]
        along = (along + underflow) * (1 + 2 * terms * UNIT)
        # Written so that NaN counts as nothing known.
        reach[tile] = np.fmin(along, reach[tile])
    return reach, 0


def columns(norm: Norm, size: int) -> Array:
    """Return inputs (n, r) >= 0 whose bounds make up an operator norm.

    A matrix of non-negative entries moves most, in l_inf, where all entries are one;
    its product with that column has its norm. Otherwise all its columns are needed.
    """
    return np.ones((size, 1)) if norm.name == "inf" else np.eye(size)


def _proved(reach: Array) -> Array:
    return np.where(np.isnan(reach), np.inf, reach)
