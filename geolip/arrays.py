"""The array types of the whole package, and what is asked of arrays everywhere."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

# The significant bits of float32; products of two such numbers are exact in float64.
SHORT = 24


def shortened(values: Array) -> Array:
    """Return the nearest numbers of 24 significant bits, in float64's range."""
    fraction, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(fraction * 2.0**SHORT), exponent - SHORT))


def is_short(values: Array) -> bool:
    """Return whether all numbers have at most 24 significant bits."""
    return bool((shortened(values) == values).all())


def least_size(values: Array) -> float:
    """Return the smallest size of a non-zero number, infinite if there is none."""
    sizes = np.abs(values)
    least = sizes.min(initial=np.inf)
    # Choosing takes long, and often there are no zeros.
    return float(least if least else sizes[sizes > 0].min(initial=np.inf))


def row_norms(V: Array) -> Array:
    """Return the rows' l_2 norms as a column, shape (n, 1)."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", V, V)))[:, None]
