"""Where the real values of a tensor lie: in a box, and in a ball.

Through weights of mixed signs boxes grow much faster than balls, in deep networks by
orders of magnitude; in shallow ones, and after an activation, boxes are sharper.
"""

from dataclasses import dataclass

import numpy as np

from geolip.arrays import Array
from geolip.execution.arithmetic import length, raised


@dataclass(frozen=True, eq=False)
class Values:
    """What contains the values (n,) of a tensor for all inputs of the region.

    Parameters
    ----------
    lower, upper : array (n,)
        Between which they lie.
    centre : array (n,)
        A point.
    spread : float
        A bound of their distance from it in the l_2 norm.
    """

    lower: Array
    upper: Array
    centre: Array
    spread: float

    @property
    def reach(self) -> Array:
        """Bounds of the values' sizes."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))

    @property
    def middle(self) -> Array:
        """A point in the middle of the box, up to rounding."""
        return 0.5 * self.lower + 0.5 * self.upper

    @property
    def radius(self) -> Array:
        """How far the box extends from that point."""
        return _distance(self.lower, self.upper, self.middle)


def enclosed(lower: Array, upper: Array, centre: Array, spread: float) -> Values:
    """Return values in a box and a ball, of which the box may be the smaller."""
    corner = length(_distance(lower, upper, centre))
    return Values(lower, upper, centre, min(spread, corner))


def boxed(lower: Array, upper: Array) -> Values:
    """Return values of which only a box is known."""
    return enclosed(lower, upper, 0.5 * lower + 0.5 * upper, np.inf)


def _distance(lower: Array, upper: Array, centre: Array) -> Array:
    return raised(np.maximum(upper - centre, centre - lower), 1)
