"""The norm of a Jacobian with given slopes, from below: searched for, then proved.

A number becomes a lower bound in `attained` alone. It carries, beside every value, the
largest amount by which float64 can have missed the real number: a sum of n products in
any order is off by at most about n u times the sum of their sizes, with u = 2^-53.

Source: Boyd's power method for mixed norms (Linear Algebra Appl. 9, 1974); one step is
exact when the output is a single number. Rounding: Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geolip.arrays import Array
from geolip.bounds.operator_norm import operator_norm
from geolip.linear import LinearOperator
from geolip.norms import NORMS, Norm, NormPair, binary_scales
from geolip.sectors import LinearMap, SectorNetwork

EUCLIDEAN = NormPair(NORMS["2"], NORMS["2"])

UNIT = 2.0**-53
# More than what numbers below float64's range may add up to in one factor of a map.
TINY = 2.0**-1000


def jacobian_norms(
    network: SectorNetwork,
    slopes: Sequence[Array],
    norms: NormPair,
    F: Array,
    steps: int = 12,
) -> tuple[Array, Array, Array]:
    """Search for the norms of r Jacobians, one for each column of slopes.

    Parameters
    ----------
    network : SectorNetwork
        The network.
    slopes : sequence of array (n_k, r)
        The slopes of blocks 1..K.
    norms : NormPair
        In which to measure.
    F : array (m, r)
        Output functionals to start from.
    steps : int
        Of the power method; for a single output one is enough.

    Returns
    -------
    (array (r,), array (n_0, r), array (m, r))
        The values, below the norms but for rounding, the unit input directions that
        attain them, and the outputs' duals.
    """
    steps = 1 if network.output.size == 1 else steps
    values = np.zeros(F.shape[1])
    X = np.zeros((network.input_size, F.shape[1]))
    for _ in range(steps):
        X = norms.input.aligned(network.adjoint_jacobian(slopes, F))
        V = network.jacobian(slopes, X)
        values, F = norms.output.of(V), norms.output.dual_aligned(V)
    return values, X, F


@np.errstate(over="ignore", invalid="ignore")
def attained(
    network: SectorNetwork,
    slopes: Sequence[Array],
    doubts: Sequence[Array],
    norms: NormPair,
    X: Array,
) -> Array:
    """Return proved lower bounds of the norms of r Jacobians.

    Parameters
    ----------
    network : SectorNetwork
        The network.
    slopes : sequence of array (n_k, r)
        The slopes of blocks 1..K as computed.
    doubts : sequence of array (n_k, r)
        How far the real slopes may be from them; any slopes within are covered.
    norms : NormPair
        In which to measure.
    X : array (n_0, r)
        The input directions, used exactly as they are; any numbers.

    Returns
    -------
    array (r,)
        Not above ``||J x||_out / ||x||_in`` for any such Jacobian J; 0 where rounding
        or overflow leaves nothing certain.
    """
    values = [known(X)]
    for block, s, doubt in zip(network.blocks, slopes, doubts, strict=True):
        read = propagated(block.preactivation, values)
        size, product = np.abs(read.value), s * read.value
        local = doubt * size * (1 + 8 * UNIT) + 2 * UNIT * np.abs(product) + TINY
        values.append(
            uncertain(
                product,
                (np.abs(s) + doubt) * read.radius * (1 + 8 * UNIT) + local,
                (np.abs(s) + doubt).max(axis=0, initial=0.0) * read.length,
                local,
            )
        )
    read = propagated(network.output, values)
    V, E = read.value, read.radius
    lengths = largest_norm(norms.input, X)
    with np.errstate(divide="ignore"):
        bounds = least_norm(norms.output, V, E) / lengths * (1 - 4 * UNIT)
    # Below, the divisions themselves might underflow.
    certain = np.isfinite(bounds) & (bounds > 2.0**-900)
    return np.where(certain, bounds, 0.0)


@dataclass(frozen=True, eq=False)
class Uncertain:
    """Computed values, and how far the real ones may be from them.

    Two radii are carried: entry by entry, which is sharp for short networks, and the
    l_2 norm of all errors, which deep ones do not blow up as fast.

    Parameters
    ----------
    value, radius : array (n, r)
        What was computed, and the error's bound entry by entry.
    length : array (r,)
        A bound of each column's error in l_2.
    """

    value: Array
    radius: Array
    length: Array


def known(value: Array) -> Uncertain:
    """Return numbers that are exactly what they are meant to be."""
    return Uncertain(value, np.zeros_like(value), np.zeros(value.shape[1]))


def uncertain(value: Array, radius: Array, inherited: Array, local: Array) -> Uncertain:
    """Return computed values whose error has two bounds.

    Parameters
    ----------
    value, radius : array (n, r)
        The values, and one bound of their errors, entry by entry.
    inherited : array (r,)
        A bound in l_2 of the part of the error that was there before.
    local : array (n, r)
        A bound of the rest, entry by entry.
    """
    slack = 1 + (4 * len(value) + 16) * UNIT
    length = (inherited + _length(local)) * slack
    radius = np.minimum(radius, length)
    # After overflow nothing is known, not even the sign.
    radius = np.where(np.isfinite(value), radius, np.inf)
    length = np.minimum(length, _length(radius) * slack)
    return Uncertain(value, radius, length)


def _length(radius: Array) -> Array:
    return np.asarray(NORMS["2"].of(radius) + TINY)


def propagated(reading: LinearMap, parts: Sequence[Uncertain]) -> Uncertain:
    """Return what an affine map's linear part makes of uncertain values.

    Parameters
    ----------
    reading : LinearMap
        The map, whose entries may carry roundings themselves.
    parts : sequence of Uncertain (n_j, r)
        By blocks.
    """
    relative = rounding(reading)
    absolute = reading.absolute
    local = relative * absolute.apply([np.abs(part.value) for part in parts])
    local = local * (1 + 2 * relative) + TINY * reading.growth
    carried = absolute.apply([part.radius for part in parts]) * (1 + 2 * relative)
    inherited = np.zeros(local.shape[1])
    for j, operator in reading.terms.items():
        inherited = inherited + operator_norm(operator, EUCLIDEAN) * parts[j].length
    value = reading.apply([part.value for part in parts])
    return uncertain(value, carried + local, inherited, local)


def rounding(reading: LinearMap) -> float:
    """Return by how much applying the map is off, as a share of the absolute sums."""
    # Twice what the theorem asks for, which also covers the computed bound's rounding.
    parts = [_summands(A) + A.roundings for A in reading.terms.values()]
    return 2 * (max(parts, default=0) + len(parts) + 8) * UNIT


def _summands(operator: LinearOperator) -> int:
    """Bound the non-zero terms of a sum; adding zeros rounds nothing."""
    ones = np.ones((operator.shape[1], 1))
    counts = operator.entrywise(lambda numbers: (numbers != 0).astype(float)).apply(
        ones
    )
    return int(min(operator.shape[1], counts.max(initial=0.0)))


def least_norm(norm: Norm, V: Array, E: Array) -> Array:
    """Return lower bounds of the norms of all columns that differ from V by up to E."""
    if norm.name == "inf":
        return np.asarray((np.abs(V) - E).max(axis=0, initial=0.0)) * (1 - 4 * UNIT)
    slack = (2 * len(V) + 8) * UNIT
    # Each norm is off by as much again where its smaller entries underflow.
    lost = 2.0**-400 * binary_scales(V)
    return norm.of(V) * (1 - slack) - norm.of(E) * (1 + slack) - lost


def largest_norm(norm: Norm, X: Array) -> Array:
    """Return upper bounds of the norms of all columns, as they are."""
    slack = (2 * len(X) + 8) * UNIT
    return np.asarray(norm.of(X) * (1 + slack) + 2.0**-400 * binary_scales(X))
