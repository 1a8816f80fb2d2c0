"""The residual C' - B X in float64, about as exact as in twice its precision.

B and X are cut in two: leading parts of so few bits that their product is exact, and
rests that are so small that the rounding of their products does not matter.

Source: docs/certificates.md section 2; the splitting is Ozaki's, Ogita's, Oishi's and
Rump's (Numer. Algorithms 59, 2012).
"""

import math
from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockMatrix
from geolip.rigor.rounding import ETA, UNIT, up


def precise_residual(
    matrix: BlockMatrix,
    outputs: Sequence[Array],
    solution: Sequence[Array],
    reach: float,
) -> tuple[list[Array], float]:
    """Return C' - B X as computed, and a bound of each entry's error.

    Parameters
    ----------
    matrix : BlockMatrix
        B.
    outputs, solution : sequence of array (n_k, m)
        C' and X by blocks.
    reach : float
        At least the largest row sum of |B|.
    """
    count = sum(matrix.sizes)
    largest = max(float(np.abs(x).max(initial=0.0)) for x in solution)
    # Products of leading parts are multiples of both units' product, and their sums are
    # below 2^52 such multiples: exact.
    unit, step = _unit(reach), _unit(largest)
    leading, rest = matrix.split(unit)
    front = [np.rint(x / step) * step for x in solution]
    back = [x - f for x, f in zip(solution, front, strict=True)]
    result = [c - p for c, p in zip(outputs, leading.apply(front), strict=True)]
    known = max(float(np.abs(r).max(initial=0.0)) for r in result)
    for A, V in ((leading, back), (rest, solution)):
        result = [r - p for r, p in zip(result, A.apply(V), strict=True)]
    # What is cut off is at most half a unit; products with it are sums of n terms.
    small = (reach + unit * count) * step + count * unit * largest
    error = up((count + len(matrix.sizes) + 4) * UNIT * small + 4 * UNIT * known, 8)
    return result, error + count * ETA


def _unit(largest: float) -> float:
    """Return a power of two of which ``largest`` is between 2^24 and 2^25 times."""
    return math.ldexp(1.0, math.frexp(largest)[1] - 25)
