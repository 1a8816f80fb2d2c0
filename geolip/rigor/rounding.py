"""Margins for rounding, and a look at how this processor rounds.

A sum of n products in any order, with or without fused operations, is off by at most n
u times the sum of their sizes plus n eta. The underflow unit eta is the smallest normal
number, so that bounds also hold where subnormal numbers are flushed to zero.

Source: docs/certificates.md section 2. Dot products: Jeannerod and Rump (SIAM J. Matrix
Anal. Appl. 34, 2013).
"""

import math
import sys

from geolip.errors import CertificationError

# Unit roundoff of float64, and the smallest normal number.
UNIT = 2.0**-53
ETA = 2.0**-1022


def up(value: float, roundings: int) -> float:
    """Return a number not below what ``value`` stands for.

    Parameters
    ----------
    value : float
        A non-negative expression as computed.
    roundings : int
        How many roundings, at most, a number passes on its way through it; sums of n
        terms count n.
    """
    return math.nextafter(value * (1 + 2 * (roundings + 2) * UNIT), math.inf)


def check_processor() -> None:
    """Make sure that float64 behaves as the margins assume.

    Raises
    ------
    CertificationError
        If the processor does not round to nearest, or flushes small numbers to zero,
        which a library may have switched on.
    """
    # Not as constants, which the compiler would have folded in another process.
    one, small, tiny = float("1"), float("1e-30"), sys.float_info.min
    if not (one + small == one == one - small and -one - small == -one == -one + small):
        raise CertificationError(
            "this process does not round to nearest: a library has changed the "
            "rounding mode, so load geolip in a process of its own"
        )
    if tiny / 2 == 0 or math.nextafter(0.0, one) * one == 0:
        raise CertificationError(
            "this process flushes small numbers to zero: a library built with "
            "-ffast-math has switched that on, so load geolip in a process of its own"
        )
