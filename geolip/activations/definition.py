"""What an activation is: a scalar function and the sector of its secant slopes."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter

import numpy as np

from geolip.arrays import Array


@dataclass(frozen=True)
class Activation:
    """A scalar function applied to every neuron of a block, with its sector.

    Lower bounds rest on what is computed here being accurate to within 32 units of
    roundoff: ``function`` relative to its value plus the steepest slope times z, and
    ``derivative``, where there is curvature, relative to 1 plus the steepest slope.

    Parameters
    ----------
    name : str
        The ONNX operator.
    lower, upper : float or array (n,)
        The sector: every secant slope of neuron i lies in [lower_i, upper_i].
    function, derivative : callable
        Elementwise on arrays (n, r), one column for each input point.
    kinks : tuple of float
        Where the function has no derivative; ``derivative`` returns a one-sided one.
    curvature : float
        A bound of the second derivative's size elsewhere.
    """

    name: str
    lower: float | Array
    upper: float | Array
    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    kinks: tuple[float, ...] = ()
    curvature: float = 0.0

    def sector(self, size: int) -> tuple[Array, Array]:
        """Return the sector's ends for a block of ``size`` neurons, each (size,)."""
        return (
            np.broadcast_to(np.asarray(self.lower, float), (size,)),
            np.broadcast_to(np.asarray(self.upper, float), (size,)),
        )


def enclosed(*slopes: Fraction | int) -> tuple[float, float]:
    """Return the least and the largest of exact slopes, rounded outwards."""
    least, largest = min(slopes), max(slopes)
    lower, upper = float(least), float(largest)
    if lower > least:
        lower = nextafter(lower, -inf)
    if upper < largest:
        upper = nextafter(upper, inf)
    return lower, upper
