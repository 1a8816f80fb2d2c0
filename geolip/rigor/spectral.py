"""Proved upper bounds of the spectral norm of a matrix.

Source: docs/certificates.md section 2. If ``s^2 I - A A'`` is positive definite, no
singular value of A is above s; power iteration and computed singular values are no
upper bounds.
"""

import math

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockMatrix
from geolip.rigor.definite import least_eigenvalue
from geolip.rigor.rounding import UNIT, up

# Shares by which the guess is raised; the first that can be shown counts.
_SLACKS = (1e-12, 1e-10, 1e-8)


def spectral_norm(matrix: Array, absolute: Array, roundings: int) -> float | None:
    """Return an upper bound of the largest singular value, None if none is shown.

    Parameters
    ----------
    matrix : array (m, n)
        Entries neither so large nor so small that squares leave float64's range.
    absolute : array (m, n)
        What bounds the absolute entries and all partial results of forming them.
    roundings : int
        How many roundings an entry carries.
    """
    if matrix.shape[0] > matrix.shape[1]:
        matrix, absolute = matrix.T, absolute.T
    m, n = matrix.shape
    gram = matrix @ matrix.T
    guess = math.sqrt(max(float(np.linalg.eigvalsh(gram)[-1]), 0.0))
    if not guess > 0:
        return None
    # Of forming the Gram matrix, in the l_2 norm; 2^-1000 stands for underflow.
    sums = absolute @ (absolute.T @ np.ones(m))
    formed = up((n + 2 * roundings + 8) * UNIT * float(sums.max()), m + n) + 2.0**-1000
    for slack in _SLACKS:
        bound = guess * (1 + slack)
        # A quarter of it, so that the diagonal stays below one.
        unit = 0.25 / bound**2
        rest = BlockMatrix((m,), {(0, 0): unit * (bound**2 * np.eye(m) - gram)})
        # Its entries are below one half and carry three more roundings.
        doubt = up(unit * formed + 4 * m * UNIT, 4)
        least, _ = least_eigenvalue(rest, (2 * doubt + slack * 0.25,))
        if least > doubt:
            return math.nextafter(bound, math.inf)
    return None
