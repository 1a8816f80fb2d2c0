"""Leaving out rows and columns of a linear map, or making them zero, exactly."""

from dataclasses import replace

import numpy as np

from geolip.arrays import Array, Mask
from geolip.linear.composition import compose
from geolip.linear.dense import Dense
from geolip.linear.operator import LinearOperator
from geolip.linear.sparse import scaling, selection


def restrict(operator: LinearOperator, rows: Mask, columns: Mask) -> LinearOperator:
    """Return the map without the rows (m,) and columns (n,) that are not kept."""
    if rows.all() and columns.all():
        return operator
    if isinstance(operator, Dense) and operator.is_plain:
        return replace(operator, matrix=operator.matrix[np.ix_(rows, columns)])
    if not rows.all():
        kept = selection(np.flatnonzero(rows), len(rows))
        operator = compose(kept, operator)
    if not columns.all():
        embedding = selection(np.flatnonzero(columns), len(columns)).transpose()
        operator = compose(operator, embedding)
    return operator


def scaled(operator: LinearOperator, factors: Array) -> LinearOperator:
    """Return the map after one that multiplies coordinate j by ``factors[j]``."""
    exact = bool(np.isin(factors, (-1.0, 0.0, 1.0)).all())
    if exact and isinstance(operator, Dense) and operator.is_plain:
        return replace(operator, matrix=operator.matrix * factors)
    return compose(operator, scaling(factors))
