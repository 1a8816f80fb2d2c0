"""The executing format, IEEE float32, and float64 sums that are rounded upwards.

A number that passes k roundings to nearest is multiplied by a factor within ``1 +-
gamma_k``, ``gamma_k = k u / (1 - k u)``, in whatever order they come. An operation may
take operands and results below ETA in size for zero; gradual underflow loses less.

Source: Higham, Accuracy and Stability of Numerical Algorithms, section 3.1.
"""

import numpy as np

from geolip.arrays import Array
from geolip.rigor.rounding import UNIT as UNIT64
from geolip.rigor.rounding import up

# Unit roundoff of float32, its smallest normal and its largest number.
UNIT = 2.0**-24
ETA = 2.0**-126
LARGEST = float(np.finfo(np.float32).max)

# Up to here gamma is at most 1/3.
MOST_ROUNDINGS = 2**22


def gamma(roundings: int) -> float:
    """Return, up to rounding, how much so many roundings change a number by."""
    return roundings * UNIT / (1 - roundings * UNIT)


def raised(values: Array, roundings: int) -> Array:
    """Return numbers not below what non-negative ``values`` stand for.

    Parameters
    ----------
    values : array
        Non-negative expressions as computed in float64, without underflow.
    roundings : int
        How many roundings, at most, a number passes on its way through them; sums of n
        terms count n.
    """
    above = np.nextafter(values * (1 + 2 * (roundings + 2) * UNIT64), np.inf)
    return np.where(values <= 0, 0.0, above)  # NaN stays NaN


def length(values: Array) -> float:
    """Return a number not below the l_2 norm of non-negative numbers."""
    # Squares may underflow where numbers are below 2^-500.
    tiny = len(values) * 2.0**-500
    return up(float(np.linalg.norm(values)), len(values) + 2) + tiny
