"""What floating point may do in an exact decision, and what it may not.

Digits are exact in float64 as long as nothing leaves its range. Where something does,
the processor says so, and nothing is decided. Proposals may be as wrong as they like.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from geolip.errors import RefusedCertificateError
from geolip.rigor.rounding import check_processor

P = ParamSpec("P")
T = TypeVar("T")


def decided(function: Callable[P, T]) -> Callable[P, T]:
    """Make a decision refuse where numbers leave float64's range."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        check_processor()
        try:
            with np.errstate(all="raise"):
                return function(*args, **kwargs)
        except (FloatingPointError, OverflowError) as error:
            raise RefusedCertificateError(
                "numbers too large or too small for exact arithmetic"
            ) from error

    return guarded


def proposing(function: Callable[P, T]) -> Callable[P, T]:
    """Let a proposal overflow and underflow within a decision."""

    @wraps(function)
    def free(*args: P.args, **kwargs: P.kwargs) -> T:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return free
