"""K_1: operator norms of the products along all paths.

With ``y_k = c_k z_k + q_k`` and ``|q_k| <= h_k |z_k|``, and P_mk the sum of the
products along all paths from stage k to what stage m reads,

    theta_m = ||P_m0|| + sum_k ||P_mk H_k|| theta_k

bounds ``||z_m||``: one norm for every pair of layers. For sectors [0, 1] and a chain,
2^(L-1) theta_L is the sum over all ways to cut the chain of the products of the parts'
norms. LipLT's loop transformation takes the centre out of every activation in the same
way; the recursion that follows from it is this one, derived here, not compared with
that paper's text.

Rounding is weighed as `geolip.bounds.entrywise` does it: what stage j's reading adds to
the error is at most ``doubt_j || |P_mj C_j| || phi_j``, where phi_j bounds ``|| |A_j|
|| ||y||``.

Source: Combettes and Pesquet (SIAM J. Math. Data Sci. 2, 2020), theorem 4.2 for one
norm throughout; Fazlyab, Entesari, Roy and Chellappa (NeurIPS 2023) for LipLT.
"""

import math
import time

import numpy as np

from geolip.bounds.matrix_norm import absolute_norm, matrix_norm
from geolip.bounds.stages import TINY, Stage, Stages
from geolip.bounds.structured_norm import structured_norm
from geolip.norms import NormPair
from geolip.rigor.rounding import UNIT
from geolip.sectors import LinearMap


@np.errstate(over="ignore", invalid="ignore")
def combettes_pesquet(
    network: Stages, norms: NormPair, deadline: float = math.inf
) -> tuple[float, int]:
    """Return an upper bound of the Lipschitz constant, and how many stages it lacks.

    Parameters
    ----------
    network : Stages
        The network.
    norms : NormPair
        Hidden layers are measured in the input's norm, the output in its own.
    deadline : float
        When, by `time.monotonic`, no other products are formed. Stages after that are
        bounded as the norm product bounds them.
    """
    hidden = NormPair(norms.input, norms.input)
    # Bounds of the norms of y, of z, and of z without any sign.
    wholes, reaches, unsigned = [1.0], [1.0], [0.0]
    lacking = 0
    for m, reading in enumerate(network.readings, 1):
        is_output = m > len(network.stages)
        pair = norms if is_output else hidden
        reach = _through(reading, wholes, pair)
        unsigned.append(_through(reading.absolute, wholes, pair))
        if is_output or (m in network.read and len(network.stages[m - 1].open_rows)):
            if time.monotonic() > deadline:
                lacking += 1
            else:
                along = _along_paths(network, m, pair, wholes, reaches, unsigned)
                # Written so that NaN counts as nothing known.
                reach = along if along < reach else reach
        reaches.append(reach)
        if not is_output:
            wholes.append(_whole(network.stages[m - 1], reach, norms))
    return (math.inf if math.isnan(reach) else reach), lacking


def numbers(network: Stages) -> float:
    """Return about how many float64 numbers are held at once."""
    return max(
        4.0 * reading.size * sum(network.sizes[:m])
        for m, reading in enumerate(network.readings, 1)
    )


def _along_paths(
    network: Stages,
    number: int,
    pair: NormPair,
    wholes: list[float],
    reaches: list[float],
    unsigned: list[float],
) -> float:
    """Return theta of one stage, with all that rounding may have hidden."""
    reading = network.readings[number - 1]
    every = np.arange(reading.size)
    paths = network.path_rows(reading, every, number - 1)
    total = network.doubt(reading) * unsigned[number]
    # What underflows is less in any norm, with sizes for the sums of entries.
    underflow = network.lost * sum(network.sizes) * reading.size
    total += underflow * (1 + sum(wholes))
    for k, part in paths.items():
        if k == 0:
            total += matrix_norm(part.T, pair)
            continue
        stage = network.stages[k - 1]
        if stage.pooled is not None:
            total += matrix_norm(part.T, pair) * wholes[k]
            continue
        if stage.radius.any():
            rest = matrix_norm(part.T * stage.radius, pair) * (1 + 2 * UNIT)
            total += (rest + underflow) * reaches[k]
        size = absolute_norm(part.T * stage.centre, pair) + underflow
        total += network.doubt(stage.reading) * 2 * size * unsigned[k]
    return (total + TINY) * (1 + 8 * (len(paths) + 8) * UNIT)


def _whole(stage: Stage, reach: float, norms: NormPair) -> float:
    if stage.pooled is not None:
        factor = norms.input.of_mixing(stage.pooled.overlap)
    else:
        factor = float((np.abs(stage.centre) + stage.radius).max(initial=0.0))
    return factor * reach * (1 + 8 * UNIT) + TINY


def _through(reading: LinearMap, wholes: list[float], norms: NormPair) -> float:
    if not reading.terms:
        return 0.0
    terms = reading.terms.items()
    total = sum(structured_norm(A, norms) * wholes[j] for j, A in terms)
    return total * (1 + 4 * (len(terms) + 2) * UNIT) + TINY
