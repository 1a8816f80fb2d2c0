"""The sizes of numbers that geolip accepts in a model.

Products of a few stored numbers must neither overflow nor underflow in float64, since
the error bounds of the verifier are relative. All of float16, bfloat16 and float32
qualifies.
"""

import numpy as np

from geolip.arrays import Array

_SMALLEST, _LARGEST = 2.0**-200, 2.0**200


def checked(numbers: Array, what: str) -> Array:
    """Return the numbers if all are finite and of an accepted size.

    Raises
    ------
    ValueError
        If one is NaN, infinite, or not zero and outside 2^-200 .. 2^200 in size.
    """
    if not np.isfinite(numbers).all():
        raise ValueError(f"{what} has NaN or infinite entries")
    sizes = np.abs(numbers[numbers != 0])
    if sizes.size and not _SMALLEST <= sizes.min() <= sizes.max() <= _LARGEST:
        wrong = sizes.min() if sizes.min() < _SMALLEST else sizes.max()
        raise ValueError(
            f"{what} has an entry of size {wrong:.3g}: expected zero or 1e-60 to 1e60, "
            "so rescale the weights"
        )
    return numbers
