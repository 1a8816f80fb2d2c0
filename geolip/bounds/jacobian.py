"""The norm of a Jacobian with given slopes, from below: searched for, then proved.

A number becomes a lower bound in `attained` alone. It carries, beside every value, the
largest amount by which float64 can have missed the real number: a sum of n products in
any order is off by at most about n u times the sum of their sizes, with u = 2^-53.

Source: Boyd's power method for mixed norms (Linear Algebra Appl. 9, 1974); one step is
exact when the output is a single number. Rounding: Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1.
"""

from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.linear import LinearOperator
from geolip.norms import Norm, NormPair
from geolip.sectors import LinearMap, SectorNetwork

UNIT = 2.0**-53
# More than what numbers below float64's range may add up to in one layer.
TINY = 2.0**-1000

_STEPS = 12


def jacobian_norms(
    network: SectorNetwork, slopes: Sequence[Array], norms: NormPair, F: Array
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

    Returns
    -------
    (array (r,), array (n_0, r), array (m, r))
        The values, below the norms but for rounding, the unit input directions that
        attain them, and the outputs' duals.
    """
    steps = 1 if network.output.size == 1 else _STEPS
    values = np.zeros(F.shape[1])
    X = np.zeros((network.input_size, F.shape[1]))
    for _ in range(steps):
        X = aligned(norms.input, network.adjoint_jacobian(slopes, F))
        values, F = measured(norms.output, network.jacobian(slopes, X))
    return values, X, F


def aligned(norm: Norm, G: Array) -> Array:
    """Return ``norm.aligned(G)``, also where squares of G leave float64's range."""
    return norm.aligned(G / _scales(G))


def measured(norm: Norm, V: Array) -> tuple[Array, Array]:
    """Return the norms (r,) and the duals (m, r) of the columns of ``V`` likewise."""
    scales = _scales(V)
    return scales * norm.of(V / scales), norm.dual_aligned(V / scales)


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
    values, errors = [X], [np.zeros_like(X)]
    for block, s, doubt in zip(network.blocks, slopes, doubts, strict=True):
        V, E = propagated(block.preactivation, values, errors)
        values.append(s * V)
        errors.append(
            np.abs(s) * E * (1 + 8 * UNIT)
            + doubt * (np.abs(V) + E) * (1 + 8 * UNIT)
            + 2 * UNIT * np.abs(values[-1])
            + TINY
        )
    V, E = propagated(network.output, values, errors)
    lengths = _largest_norm(norms.input, X)
    with np.errstate(divide="ignore"):
        bounds = _least_norm(norms.output, V, E) / lengths * (1 - 4 * UNIT)
    # Below, the divisions themselves might underflow.
    certain = np.isfinite(bounds) & (bounds > 2.0**-900)
    return np.where(certain, bounds, 0.0)


def propagated(
    reading: LinearMap, values: Sequence[Array], errors: Sequence[Array]
) -> tuple[Array, Array]:
    """Return what an affine map's linear part makes of values that carry errors.

    Parameters
    ----------
    reading : LinearMap
        The map A, whose entries may carry roundings themselves.
    values, errors : sequence of array (n_j, r)
        By blocks: the computed values, and how far the real ones may be from them.

    Returns
    -------
    (array (m, r), array (m, r))
        ``A values``, and how far it may be from A times the real values.
    """
    relative = rounding(reading)
    pairs = zip(values, errors, strict=True)
    spread = [error + relative * np.abs(value) for value, error in pairs]
    bound = reading.absolute.apply(spread) * (1 + 2 * relative) + TINY
    result = reading.apply(values)
    # After overflow nothing is known, not even the sign.
    return result, np.where(np.isfinite(result), bound, np.inf)


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


def _least_norm(norm: Norm, V: Array, E: Array) -> Array:
    """Return lower bounds of the norms of all columns that differ from V by up to E."""
    if norm.name == "inf":
        return np.asarray((np.abs(V) - E).max(axis=0, initial=0.0)) * (1 - 4 * UNIT)
    scales = _scales(V)
    slack = (2 * len(V) + 8) * UNIT
    least = norm.of(V / scales) * (1 - slack)
    return scales * (least - norm.of(E / scales) * (1 + slack) - 2.0**-400)


def _largest_norm(norm: Norm, X: Array) -> Array:
    scales = _scales(X)
    slack = (2 * len(X) + 8) * UNIT
    return np.asarray(scales * (norm.of(X / scales) * (1 + slack) + 2.0**-400))


def _scales(V: Array) -> Array:
    """Return powers of two near the columns' largest entries, 1 for a zero column."""
    _, exponents = np.frexp(np.abs(V).max(axis=0, initial=0.0))
    return np.asarray(np.ldexp(1.0, np.clip(exponents, -900, 900)))
