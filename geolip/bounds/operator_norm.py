"""Upper bounds of the norm of one linear operator, between l_1, l_2 and l_inf.

Source: the unit ball of l_1 has the unit vectors as corners, so that from it columns
are measured; rows, in the dual norm, for l_inf outputs; for l_2 to l_2 the least of the
Schur test sqrt(l_1 l_inf) and of a spectral norm that a Cholesky factorisation of ``s^2
I - A'A`` confirms. The rest is bounded by the norm of |A|, which is that of its row
sums, for l_inf inputs, or of its column sums, and from l_2 to l_1 by ``|f|_1 <= sqrt(m)
|f|_2``.
"""

import math
from functools import lru_cache

import numpy as np

from geolip.arrays import Array
from geolip.linear import LinearOperator
from geolip.norms import NORMS, Norm, NormPair
from geolip.rigor.rounding import UNIT
from geolip.rigor.spectral import spectral_norm

# Above this many rows and columns a Gram matrix is not formed for a fallback bound.
_LARGEST_GRAM = 2000
_SMALLEST = 2.0**-1074


def operator_norm(operator: LinearOperator, norms: NormPair) -> float:
    """Return an upper bound of ``max ||A x||_out over ||x||_in <= 1``."""
    m, n = operator.shape
    up = 1 + 4 * (m + n + operator.roundings + 4) * UNIT
    norm = _norm(operator, norms) * up
    # Below the normal numbers a rounding is a share of the smallest.
    return norm + (m + n) * _SMALLEST if norm else 0.0


def _norm(operator: LinearOperator, norms: NormPair) -> float:
    """Return the same but for its own rounding."""
    match norms.input.name, norms.output.name:
        case "inf", _:
            return float(norms.output.of(operator.row_sums[:, None])[0])
        case "1", "1":
            return float(operator.column_sums.max(initial=0.0))
        case _, "inf":
            return float(_row_norms(operator, norms.input).max(initial=0.0))
        case "1", "2":
            return float(_column_norms(operator).max(initial=0.0))
        case "2", "2":
            return _spectral(operator)
        case "2", "1":
            signless = float(NORMS["2"].of(operator.column_sums[:, None])[0])
            return min(
                signless, math.sqrt(len(operator.row_sums)) * _spectral(operator)
            )
    raise ValueError(f"no operator norm for {norms}")


def _row_norms(operator: LinearOperator, norm: Norm) -> Array:
    """Return upper bounds of the rows' dual norms, for l_1 and l_2 inputs."""
    if max(operator.shape) <= _LARGEST_GRAM:
        return norm.dual(operator.absolute.dense().T)
    # No entry is larger than the sum of its column.
    sums = operator.row_sums
    largest = np.minimum(sums, operator.column_sums.max(initial=0.0))
    return largest if norm.name == "1" else np.asarray(np.sqrt(sums) * np.sqrt(largest))


def _column_norms(operator: LinearOperator) -> Array:
    """Return upper bounds of the columns' l_2 norms."""
    if max(operator.shape) <= _LARGEST_GRAM:
        return NORMS["2"].of(operator.absolute.dense())
    sums = operator.column_sums
    largest = np.minimum(sums, operator.row_sums.max(initial=0.0))
    return np.asarray(np.sqrt(sums) * np.sqrt(largest))


@lru_cache(maxsize=1024)
def _spectral(operator: LinearOperator) -> float:
    rows = float(operator.row_sums.max(initial=0.0))
    columns = float(operator.column_sums.max(initial=0.0))
    schur = math.sqrt(rows) * math.sqrt(columns)
    if schur == 0.0 or max(operator.shape) > _LARGEST_GRAM:
        return schur
    # Scaled by a power of two, so that the Gram matrix neither over- nor underflows.
    scale = math.ldexp(1.0, min(-math.frexp(schur)[1], 1000))
    matrix, absolute = scale * operator.dense(), scale * operator.absolute.dense()
    confirmed = spectral_norm(matrix, absolute, operator.roundings)
    return schur if confirmed is None else min(schur, confirmed / scale)
