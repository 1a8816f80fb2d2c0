"""The norm product in exact arithmetic: every layer's norm, along the graph.

Square roots are taken upwards, to about 60 bits.

Source: docs/theory.md section 4; AutoLip (Virmaux and Scaman, NeurIPS 2018).
"""

import math
from fractions import Fraction

import numpy as np

from geolip.exact.definite import largest_eigenvalue
from geolip.exact.entries import Entries, entries
from geolip.exact.faults import decided
from geolip.exact.fixed import Fixed, fixed
from geolip.norms import NormPair
from geolip.sectors import LinearMap, SectorNetwork

_DIGITS = 5
# Rows up to which a Gram matrix is formed.
_LARGEST_GRAM = 2000


@decided()
def product_square(network: SectorNetwork, norms: NormPair) -> Fraction:
    """Return the square of a bound of the Lipschitz constant in the given norms."""
    hidden = NormPair(norms.input, norms.input)
    constants = [Fraction(1)]
    for block in network.blocks:
        slope = np.maximum(np.abs(block.lower), np.abs(block.upper))
        steepest = Fraction(float(slope.max(initial=0.0)))
        constant = steepest * _through(block.preactivation, constants, hidden)
        if block.mixture is not None:
            mixing = Fraction(norms.input.of_mixing(block.mixture.overlap))
            mixed = _through(block.mixture.source, constants, hidden)
            constant = min(constant, mixing * mixed)
        constants.append(constant)
    return _through(network.output, constants, norms) ** 2


def _through(
    reading: LinearMap, constants: list[Fraction], norms: NormPair
) -> Fraction:
    parts = (
        root(_norm_square(entries(operator), norms)) * constants[j]
        for j, operator in reading.terms.items()
    )
    return sum(parts, Fraction())


def _norm_square(matrix: Entries, norms: NormPair) -> Fraction:
    """Return an upper bound of the square of an operator norm."""
    scaled, exponent = matrix.normalised()
    A = fixed(scaled.parts, _DIGITS, scaled.error)
    return _scaled_norm_square(A, norms) * Fraction(4) ** exponent


def _scaled_norm_square(A: Fixed, norms: NormPair) -> Fraction:
    """Return the same of a matrix; as `geolip.bounds.operator_norm`, in integers."""
    match norms.input.name, norms.output.name:
        case "inf", "inf":
            return A.row_sums().largest() ** 2
        case "inf", "2":
            return A.row_sums().square_sum()
        case "inf", "1":
            return A.row_sums().transposed().row_sums().largest() ** 2
        case "1", "inf":
            return max(A.largest(), (-A).largest()) ** 2
        case "1", "1":
            return A.transposed().row_sums().largest() ** 2
        case "1", "2":
            return max(_row_squares(A.transposed()))
        case "2", "inf":
            return max(_row_squares(A))
        case "2", "2":
            return _spectral_square(A)
        case "2", "1":
            signless = A.transposed().row_sums().square_sum()
            return min(signless, A.shape[0] * _spectral_square(A))
    raise ValueError(f"no operator norm for {norms}")


def _row_squares(A: Fixed) -> list[Fraction]:
    rows = (slice(i, i + 1) for i in range(A.shape[0]))
    return [A.part(row, slice(None)).square_sum() for row in rows]


def _spectral_square(A: Fixed) -> Fraction:
    schur = A.row_sums().largest() * A.transposed().row_sums().largest()
    if max(A.shape) > _LARGEST_GRAM:
        return schur
    narrow = A if A.shape[0] <= A.shape[1] else A.transposed()
    return min(schur, largest_eigenvalue(narrow.times(narrow)))


def root(square: Fraction) -> Fraction:
    """Return a fraction not below the square root."""
    if square == 0:
        return Fraction()
    # Scaled by a power of four to an integer of some 128 bits.
    shift = 64 - (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    scaled = math.ceil(square * Fraction(4) ** shift)
    return (math.isqrt(scaled) + 1) / Fraction(2) ** shift
