"""Upper bounds of the norm of a matrix at hand, such as a product of layers.

Source: as `geolip.bounds.operator_norm`, whose maps are too many and too large to look
at every entry; docs/certificates.md section 2 for spectral norms.
"""

import math

import numpy as np

from geolip.arrays import Array
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
    unit = math.ldexp(1.0, min(-math.frexp(largest)[1], 1000))
    norm = absolute_norm(unit * matrix, norms)
    if norms.input.name == "2" and norms.output.name != "inf":
        # |f|_1 <= sqrt(m) |f|_2.
        share = 1.0 if norms.output.name == "2" else math.sqrt(len(matrix))
        norm = min(norm, share * _spectral(unit * matrix))
    # What underflows is less than that in any norm.
    lost = sum(matrix.shape) * 2.0**-900
    return math.nextafter((norm + lost) * (1 + 4 * UNIT) / unit, math.inf)


def absolute_norm(matrix: Array, norms: NormPair) -> float:
    """Return an upper bound of the norm of |M|, cheaply.

    It is that norm up to rounding, but for l_2 to l_2. Entries should neither be so
    large nor so small that squares leave float64's range.
    """
    sizes = np.abs(matrix)
    up = 1 + 4 * (sum(matrix.shape) + 8) * UNIT
    match norms.input.name, norms.output.name:
        case "inf", _:
            norm = norms.output.of(sizes.sum(axis=1)[:, None])
        case "1", _:
            norm = norms.output.of(sizes)
        case _, "inf":
            norm = norms.input.dual(sizes.T)
        case "2", "1":
            norm = norms.input.of(sizes.sum(axis=0)[:, None])
        case _:
            norm = np.sqrt(sizes.sum(axis=1).max()) * np.sqrt(sizes.sum(axis=0))
    return float(norm.max(initial=0.0)) * up


def _spectral(matrix: Array) -> float:
    if min(matrix.shape) > _LARGEST_GRAM:
        return math.inf
    confirmed = spectral_norm(matrix, np.abs(matrix), 0)
    return math.inf if confirmed is None else confirmed
