"""Upper bounds of the norm of a matrix at hand, such as a product of layers.

Source: docs/certificates.md section 2; `geolip.bounds.operator_norm` for the pairs
whose norm is a sum or a largest of entries.
"""

import math

import numpy as np

from geolip.arrays import Array
from geolip.bounds.operator_norm import operator_norm
from geolip.linear import Dense
from geolip.norms import NormPair
from geolip.rigor.rounding import UNIT
from geolip.rigor.spectral import spectral_norm

# Above this many rows and columns a spectral norm takes minutes.
_LARGEST_GRAM = 4096


def matrix_norm(matrix: Array, norms: NormPair) -> float:
    """Return an upper bound of ``max ||M x||_out over ||x||_in <= 1``.

    Parameters
    ----------
    matrix : array (m, n)
        Used exactly as it is.
    norms : NormPair
        In which to measure.
    """
    largest = float(np.abs(matrix).max(initial=0.0))
    if not 0 < largest < math.inf:
        return 0.0 if largest == 0 else math.inf
    # By a power of two, so that no square leaves float64's range.
    unit = math.ldexp(1.0, -math.frexp(largest)[1])
    scaled = unit * matrix
    up = 1 + 4 * (sum(matrix.shape) + 8) * UNIT
    # What underflows is less than that in any norm.
    lost = sum(matrix.shape) * 2.0**-900
    match norms.input.name, norms.output.name:
        case "2", "2":
            norm = min(absolute_norm(scaled, norms), _spectral(scaled))
        case "2", "inf":
            norm = float(np.linalg.norm(scaled, axis=1).max())
        case _:
            norm = operator_norm(Dense(scaled), norms)
    return (norm + lost) * up / unit


def absolute_norm(matrix: Array, norms: NormPair) -> float:
    """Return an upper bound of the norm of |M|, cheaply."""
    if (norms.input.name, norms.output.name) != ("2", "2"):
        return matrix_norm(np.abs(matrix), norms)
    sizes = np.abs(matrix)
    rows, columns = sizes.sum(axis=1).max(), sizes.sum(axis=0).max()
    up = 1 + 4 * (sum(matrix.shape) + 8) * UNIT
    return math.sqrt(float(rows)) * math.sqrt(float(columns)) * up


def _spectral(matrix: Array) -> float:
    if min(matrix.shape) > _LARGEST_GRAM:
        return math.inf
    confirmed = spectral_norm(matrix, np.abs(matrix), 0)
    return math.inf if confirmed is None else confirmed
