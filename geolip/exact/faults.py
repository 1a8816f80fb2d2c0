"""What floating point may do in an exact decision, and what it may not.

Digits are exact in float64 as long as nothing leaves its range. Where something does,
the processor says so, and nothing is decided. Proposals may be as wrong as they like,
and overflow: ``np.errstate(all="ignore")`` marks them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from geolip.errors import RefusedCertificateError
from geolip.rigor.rounding import check_processor


@contextmanager
def decided() -> Iterator[None]:
    """Make a decision refuse where numbers leave float64's range.

    Raises
    ------
    RefusedCertificateError
        Where they do, and where a library gives up.
    """
    check_processor()
    try:
        with np.errstate(all="raise"):
            yield
    except (FloatingPointError, OverflowError, np.linalg.LinAlgError) as error:
        raise RefusedCertificateError(
            "numbers too large or too small for exact arithmetic"
        ) from error
