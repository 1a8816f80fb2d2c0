"""What one node's affine map makes of tensors, in real numbers and in float32.

With A the map's entries, b its constants, e the errors of the tensors read and S the
sizes of their terms: errors of ``|A| e`` are carried on, terms are of size
``|A| S + |b|``, and each passes at most ``depth`` roundings.
"""

from collections.abc import Mapping

import numpy as np

from geolip.arrays import Array
from geolip.errors import CertificationError
from geolip.execution.arithmetic import ETA, LARGEST, MOST_ROUNDINGS, raised
from geolip.execution.tensor import Tensor
from geolip.importer.operation import Operation, label
from geolip.network import Affine
from geolip.rigor.rounding import UNIT as UNIT64

# More than what numbers below float64's range add up to in one node.
_TINY = 2.0**-1000


def combined(
    operation: Operation,
    reading: Affine,
    tensors: Mapping[int, Tensor],
    depth: int,
    *,
    constants: Array | None = None,
    gain: float = 0.0,
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
        The result's depth; at least the number of terms if an entry of the map is no
        single number of the model.
    constants : array (n,), optional
        The sizes of all constants that are added, before any cancel; those of the
        reading's bias if not given.
    gain : float
        A bound of the numbers that the node's own factors are made of.
    exact : bool
        Whether the node only moves numbers and changes their signs.

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
    parts = [tensors.get(j) for j in range(len(operation.inputs))]
    roundings = depth + reading.linear.roundings + len(parts) + 8
    middle = _applied_middle(reading, parts)
    sums = reading.linear.absolute.apply([_columns(part) for part in parts])
    carried, size, radius, middles, weights = raised(sums, roundings).T
    off = 2 * roundings * UNIT64 * (middles + constants) + _TINY
    radius = raised(radius + off, 4)
    present = [part for part in parts if part is not None]
    reach = 1 + max((max(_largest(p.size), p.largest) for p in present), default=0.0)
    gain = max(gain, 1 + _largest(weights))
    check_range(operation, (depth + 1) * gain * reach + _largest(constants))
    if not exact:
        # At most so many products and sums, each of numbers that may count as zero.
        # That exceeds what float64 may lose to underflow above, too.
        carried = carried + 16 * (depth + 1) * ETA * gain * reach
    return Tensor(
        shape=reading.shape,
        lower=np.nextafter(middle - radius, -np.inf),
        upper=np.nextafter(middle + radius, np.inf),
        carried=raised(carried, 8),
        size=raised(size + constants, 2),
        depth=depth,
        largest=max(reach, gain, _largest(constants)),
    )


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


def _applied_middle(reading: Affine, parts: list[Tensor | None]) -> Array:
    middles = [np.zeros((0, 1)) if p is None else _middle(p)[:, None] for p in parts]
    return reading.apply(middles)[:, 0]


def _columns(part: Tensor | None) -> Array:
    """Return what the absolute map is applied to, one column each."""
    if part is None:
        return np.zeros((0, 5))
    middle = _middle(part)
    radius = raised(np.maximum(part.upper - middle, middle - part.lower), 1)
    ones = np.ones(len(middle))
    return np.stack([part.carried, part.size, radius, np.abs(middle), ones], axis=1)


def _middle(part: Tensor) -> Array:
    return 0.5 * part.lower + 0.5 * part.upper


def _largest(values: Array) -> float:
    return float(values.max(initial=0.0))
