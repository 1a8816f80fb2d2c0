"""Upper bounds of the norm of one linear operator, from l_inf or l_2 to l_inf or l_2.

Source: rows for l_inf outputs; for l_2 the least of the Schur test sqrt(l_1 l_inf) and
of a spectral norm that a Cholesky factorisation of ``s^2 I - A'A`` confirms.
"""

import math
from functools import lru_cache

import numpy as np

from geolip.linear import LinearOperator
from geolip.norms import NormPair, parse
from geolip.rigor.rounding import UNIT
from geolip.rigor.spectral import spectral_norm

# Above this many rows and columns a Gram matrix is not formed for a fallback bound.
_LARGEST_GRAM = 2000


def operator_norm(operator: LinearOperator, norms: NormPair) -> float:
    """Return an upper bound of ``max ||A x||_out over ||x||_in <= 1``."""
    m, n = operator.shape
    up = 1 + 4 * (m + n + operator.roundings + 4) * UNIT
    match norms.input.name, norms.output.name:
        case "inf", "inf":
            return float(operator.row_sums.max(initial=0.0)) * up
        case "inf", "2":
            return float(np.linalg.norm(operator.row_sums)) * up
        case "2", "inf":
            return _largest_row(operator) * up
        case "2", "2":
            return _spectral(operator) * up
    raise ValueError(f"no operator norm for {norms}")


def induced_norms(operator: LinearOperator) -> dict[str, float]:
    """Return upper bounds of the norms from l_p to l_p for p = 1, 2 and inf.

    That for p = 2 is ``sqrt(l_1 l_inf)`` above some thousand rows or columns.
    """
    m, n = operator.shape
    up = 1 + 4 * (m + n + operator.roundings + 4) * UNIT
    columns = float(operator.column_sums.max(initial=0.0)) * up
    norms = {p: operator_norm(operator, parse(p)) for p in ("2", "inf")}
    return {"1": columns, **norms}


def _largest_row(operator: LinearOperator) -> float:
    if max(operator.shape) > _LARGEST_GRAM:
        largest = operator.column_sums.max(initial=0.0)
        rows = operator.row_sums * np.minimum(operator.row_sums, largest)
        return math.sqrt(float(rows.max(initial=0.0)))
    matrix = operator.absolute.dense()
    return float(np.linalg.norm(matrix, axis=1).max(initial=0.0))


@lru_cache(maxsize=1024)
def _spectral(operator: LinearOperator) -> float:
    rows = float(operator.row_sums.max(initial=0.0))
    columns = float(operator.column_sums.max(initial=0.0))
    schur = math.sqrt(rows) * math.sqrt(columns)
    if schur == 0.0 or max(operator.shape) > _LARGEST_GRAM:
        return schur
    # Scaled by a power of two, so that the Gram matrix neither over- nor underflows.
    scale = math.ldexp(1.0, -math.frexp(schur)[1])
    matrix, absolute = scale * operator.dense(), scale * operator.absolute.dense()
    confirmed = spectral_norm(matrix, absolute, operator.roundings)
    return schur if confirmed is None else min(schur, confirmed / scale)
