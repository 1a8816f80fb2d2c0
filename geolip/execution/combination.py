"""What one node's affine map makes of tensors, in real numbers and in float32.

With A the map's entries, b its constants, e the errors of the tensors read and S the
sizes of their terms: errors of ``|A| e`` are carried on, terms are of size
``|A| S + |b|``, and each passes at most ``depth`` roundings. Errors and ranges are also
carried on in the l_2 norm, with the norms of A and of its rows.

Source: docs/certificates.md section 5.
"""

import math
from collections.abc import Mapping

import numpy as np

from geolip.arrays import Array
from geolip.bounds.jacobian import EUCLIDEAN
from geolip.bounds.operator_norm import operator_norm
from geolip.errors import CertificationError
from geolip.execution.arithmetic import ETA, LARGEST, MOST_ROUNDINGS, length, raised
from geolip.execution.tensor import Tensor
from geolip.execution.values import Values, enclosed
from geolip.importer.operation import Operation, label
from geolip.linear import (
    Convolution,
    Dense,
    LinearOperator,
    Sparse,
    TransposedConvolution,
)
from geolip.network import Affine
from geolip.rigor.rounding import UNIT as UNIT64
from geolip.rigor.rounding import up

# More than what numbers below float64's range add up to in one node.
_TINY = 2.0**-1000
# Each entry of these is one stored number.
_SIMPLE = (Convolution, Dense, Sparse, TransposedConvolution)


def combined(
    operation: Operation,
    reading: Affine,
    tensors: Mapping[int, Tensor],
    depth: int,
    *,
    constants: Array | None = None,
    gain: float = 0.0,
    factor: float = 1.0,
    exact: bool = False,
) -> Tensor:
    """Return an affine function of tensors, as a sum of their terms.

    Parameters
    ----------
    operation : Operation
        The node.
    reading : Affine
        Its function, or one output of it; block j is tensor j.
    tensors : mapping of int to Tensor
        The node's inputs that depend on the network's input.
    depth : int
        The result's depth; no row of the map may have more entries, but for one.
    constants : array (n,), optional
        The sizes of all constants that are added, before any cancel; those of the
        reading's bias if not given.
    gain : float
        A bound of the numbers that the node's own factors are made of.
    factor : float
        A bound of the factors, and products of some, that the node multiplies terms by.
    exact : bool
        Whether the node copies numbers and computes none.

    Raises
    ------
    CertificationError
        If a sum is too long, or a number may leave float32's range.
    """
    if constants is None:
        constants = np.abs(reading.bias)
    if depth > MOST_ROUNDINGS:
        raise CertificationError(
            f"{label(operation.node)}: sums of {depth:.1e} terms are too long to bound "
            "their rounding in float32"
        )
    roundings = depth + reading.linear.roundings + len(operation.inputs) + 8
    carried, size, weights = np.zeros((3, reading.size))
    carried_length, reach, product = 0.0, 1.0, 1.0
    for j, operator in reading.terms.items():
        part = tensors[j]
        entries, sizes, sums = _absolute(
            operator, part.carried, part.size, np.ones(len(part.size))
        )
        if part.depth == 0:
            sizes = np.minimum(sizes, _sizes_in_ball(operator, part))
        carried += np.minimum(entries, _row_lengths(operator) * part.carried_length)
        carried_length += _norm(operator) * part.carried_length
        size, weights = size + sizes, weights + sums
        reach = max(reach, 1 + _largest(part.size), 1 + part.largest)
        product = max(product, part.product)
    gain = max(gain, 1 + _largest(raised(weights, roundings)))
    check_range(operation, (depth + 1) * gain * reach + _largest(constants))
    # Large weights and factors may meet before small values do, and before small
    # factors: what is below 1 is left out.
    product = max(up(product * max(1.0, factor), roundings), gain, _largest(constants))
    check_range(operation, product)
    # At most so many products and sums, each of numbers that may count as zero. That
    # exceeds what float64 may lose to underflow in products above, too.
    lost = 0.0 if exact else 16 * (depth + 1) * ETA * gain * reach
    return Tensor(
        shape=reading.shape,
        values=_image(reading, tensors, constants, roundings),
        carried=raised(carried + lost, roundings),
        carried_length=up(carried_length + lost * reading.size, roundings),
        size=raised(size + constants, roundings),
        depth=depth,
        largest=max(reach, gain, _largest(constants)),
        product=product,
    )


def largest_entry(reading: Affine) -> float:
    """Return a bound of the map's entries, the sharpest if rows have one each."""
    sums = [_largest(operator.row_sums) for operator in reading.terms.values()]
    return max(sums, default=0.0)


def check_range(operation: Operation, size: float) -> None:
    """Make sure that a node computes no number too large for float32.

    Parameters
    ----------
    operation : Operation
        The node.
    size : float
        A bound of the numbers it computes on the way, but for their rounding.

    Raises
    ------
    CertificationError
        If they may be too large.
    """
    if not 2 * size < LARGEST:
        raise CertificationError(
            f"{label(operation.node)}: numbers of size {size:.1e} may leave float32's "
            "range: give --float-exec a smaller region"
        )


def _image(
    reading: Affine, tensors: Mapping[int, Tensor], constants: Array, roundings: int
) -> Values:
    """Return where the values of the map lie; ``constants`` bound its bias's parts."""
    middle, centre = np.repeat(reading.bias[None], 2, axis=0)
    radius, away, middles, centres = np.zeros((4, reading.size))
    spread = 0.0
    for j, operator in reading.terms.items():
        part = tensors[j].values
        points = operator.apply(np.stack([part.middle, part.centre], axis=1))
        middle, centre = middle + points[:, 0], centre + points[:, 1]
        sums = _absolute(
            operator, part.radius, np.abs(part.middle), np.abs(part.centre)
        )
        radius, middles, centres = (
            radius + sums[0],
            middles + sums[1],
            centres + sums[2],
        )
        away = away + _row_lengths(operator) * part.spread
        spread = spread + _norm(operator) * part.spread
    off = 2 * roundings * UNIT64 * (np.maximum(middles, centres) + constants) + _TINY
    radius, away = raised(radius + off, roundings), raised(away + off, roundings)
    lower = np.nextafter(np.maximum(middle - radius, centre - away), -np.inf)
    upper = np.nextafter(np.minimum(middle + radius, centre + away), np.inf)
    return enclosed(lower, upper, centre, up(spread + length(off), roundings))


def _absolute(operator: LinearOperator, *columns: Array) -> Array:
    """Return what the absolute map makes of each column, one row each."""
    return operator.absolute.apply(np.stack(columns, axis=1)).T


def _sizes_in_ball(operator: LinearOperator, part: Tensor) -> Array:
    """Return bounds of ``|A| |y|`` for the computed values y of a stored tensor."""
    (centre,) = _absolute(operator, np.abs(part.values.centre))
    away = part.values.spread + part.carried_length
    return np.asarray(centre + _row_lengths(operator) * away)


def _row_lengths(operator: LinearOperator) -> Array:
    """Return upper bounds, up to rounding, of the l_2 norms of the rows."""
    if not isinstance(operator, _SIMPLE):
        return operator.row_sums  # squares of products are no sums of squares
    squares = operator.entrywise(np.square).apply(np.ones((operator.shape[1], 1)))
    return np.asarray(np.sqrt(squares[:, 0]))


def _norm(operator: LinearOperator) -> float:
    """Return an upper bound of the spectral norm."""
    if isinstance(operator, Sparse):  # sharp where each row and column has one entry
        schur = math.sqrt(_largest(operator.row_sums) * _largest(operator.column_sums))
        return up(schur, max(operator.shape) + operator.roundings + 4)
    return operator_norm(operator, EUCLIDEAN)


def _largest(values: Array) -> float:
    return float(values.max(initial=0.0))
