"""Proposing a solution of B X = C' from a factor of B, or of a matrix near it.

Nothing rests on how good it is.
"""

import contextlib
import math
from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockFactor, BlockMatrix

# The share of the quadratic form that an inexact solution may cost.
_LOSS = 1e-14
_STEPS = 3


def solution(
    matrix: BlockMatrix, factor: BlockFactor, outputs: Sequence[Array], least: float
) -> list[Array]:
    """Return about the solution X of B X = C', by blocks.

    Parameters
    ----------
    matrix : BlockMatrix
        B.
    factor : BlockFactor
        Of B, or of B - s I for a small s.
    outputs : sequence of array (n_k, m)
        C'.
    least : float
        A lower bound of B's least eigenvalue, which tells how much a residual costs.
    """
    # To a size of about one, so that squares neither overflow nor underflow.
    largest = max(float(np.abs(c).max(initial=0.0)) for c in outputs)
    exponent = int(np.frexp(largest)[1])
    outputs = [np.ldexp(c, -exponent) for c in outputs]
    found, missed = _refined(matrix, factor, outputs)
    form = sum(np.sum(c * x) for c, x in zip(outputs, found, strict=True))
    # Written so that NaN counts as missed.
    if not missed**2 <= _LOSS * least * abs(form):
        # Too near to singular for a shifted factor: refinement hardly converges.
        with contextlib.suppress(np.linalg.LinAlgError):
            found, _ = _refined(matrix, matrix.factor(), outputs)
    return [np.ldexp(x, exponent) for x in found]


def _refined(
    matrix: BlockMatrix, factor: BlockFactor, outputs: Sequence[Array]
) -> tuple[list[Array], float]:
    """Return a solution of B X = C' and the size of its residual."""
    found = factor.solve(outputs)
    for _ in range(_STEPS):
        step = factor.solve(_residual(matrix, outputs, found))
        found = [x + s for x, s in zip(found, step, strict=True)]
    missed = _residual(matrix, outputs, found)
    return found, math.sqrt(sum(float(np.sum(r**2)) for r in missed))


def _residual(
    matrix: BlockMatrix, outputs: Sequence[Array], found: Sequence[Array]
) -> list[Array]:
    products = matrix.apply(found)
    return [c - p for c, p in zip(outputs, products, strict=True)]
