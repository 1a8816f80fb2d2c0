"""Leaving out rows and columns of a linear map, exactly."""

import numpy as np

from geolip.arrays import Mask
from geolip.linear.composition import compose
from geolip.linear.operator import LinearOperator
from geolip.linear.sparse import selection


def restrict(operator: LinearOperator, rows: Mask, columns: Mask) -> LinearOperator:
    """Return the map without the rows (m,) and columns (n,) that are not kept."""
    if not rows.all():
        kept = selection(np.flatnonzero(rows), len(rows))
        operator = compose(kept, operator)
    if not columns.all():
        embedding = selection(np.flatnonzero(columns), len(columns)).transpose()
        operator = compose(operator, embedding)
    return operator
