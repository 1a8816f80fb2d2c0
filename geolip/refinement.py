"""Proposing a solution of B X = C' from a factor of B, or of a matrix near it.

Nothing rests on how good it is.
"""

import contextlib
from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockFactor, BlockMatrix

# The share of the quadratic form that an inexact solution may cost.
_LOSS = 1e-14
_STEPS = 8


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
    found, is_enough = _refined(matrix, factor, outputs, least)
    if not is_enough:
        # Too near to singular for a shifted factor.
        with contextlib.suppress(np.linalg.LinAlgError):
            found, _ = _refined(matrix, matrix.factor(), outputs, least)
    return [np.ldexp(x, exponent) for x in found]


def _refined(
    matrix: BlockMatrix, factor: BlockFactor, outputs: Sequence[Array], least: float
) -> tuple[list[Array], bool]:
    """Return a solution of B X = C', and whether its residual is small enough.

    By conjugate gradients, each column on its own, preconditioned by the factor: they
    converge where a shift matters in a few directions, unlike plain refinement.
    """
    found = best = factor.solve(outputs)
    step = [np.zeros_like(x) for x in found]
    length, smallest = np.full(found[0].shape[1], np.inf), np.inf
    for _ in range(_STEPS):
        missed = _residual(matrix, outputs, found)
        size = float(_columns(missed, missed).sum())
        if size < smallest:
            best, smallest = found, size
        if size <= _LOSS * least * abs(float(_columns(outputs, found).sum())):
            return found, True
        solved = factor.solve(missed)
        before, length = length, _columns(missed, solved)
        turn = _ratio(length, before)
        step = [z + p * turn for z, p in zip(solved, step, strict=True)]
        # Of what is missed now, which rounding may have made another than intended.
        reach = _ratio(_columns(missed, step), _columns(step, matrix.apply(step)))
        found = [x + p * reach for x, p in zip(found, step, strict=True)]
    return best, False


def _columns(left: Sequence[Array], right: Sequence[Array]) -> Array:
    """Return the inner products of columns."""
    return np.asarray(
        sum(np.einsum("ij,ij->j", a, b) for a, b in zip(left, right, strict=True))
    )


def _ratio(length: Array, other: Array) -> Array:
    """Return the quotients, zero where a column is solved."""
    return np.divide(length, other, out=np.zeros_like(length), where=other > 0)


def _residual(
    matrix: BlockMatrix, outputs: Sequence[Array], found: Sequence[Array]
) -> list[Array]:
    products = matrix.apply(found)
    return [c - p for c, p in zip(outputs, products, strict=True)]
