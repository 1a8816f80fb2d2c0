"""The bound that multipliers prove, as an exact number.

With a lower bound lam of the least eigenvalue of B, any X and R = C' - B X,

    C B^-1 C' = C X + X'R + R'B^-1 R <= C X + X'R + |R|^2 / lam

and the square of the Lipschitz constant is at most T(tau) times the largest eigenvalue
of the right-hand side. ``C X + X'R`` is the symmetric part of ``X'(C' + R)``. Floating
point proposes X; everything else is exact.

Source: docs/certificates.md section 3; docs/theory.md section 3.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from geolip.arrays import Array
from geolip.blocks import BlockFactor
from geolip.errors import RefusedCertificateError
from geolip.exact.definite import largest_eigenvalue, least_eigenvalue
from geolip.exact.faults import decided
from geolip.exact.fixed import Fixed, fixed, proposed, total
from geolip.exact.slack import Slack, slack
from geolip.multipliers import Multipliers
from geolip.norms import Norm
from geolip.refinement import solution
from geolip.sectors import SectorNetwork

_DIGITS = 4
# Digits of a solution: more where the least eigenvalue magnifies a residual.
_SOLUTION_DIGITS, _MORE_DIGITS, _MAGNIFYING = 2, 3, 2.0**-20


@decided()
def proved_square(
    network: SectorNetwork, norm: Norm, multipliers: Multipliers
) -> Fraction:
    """Return the square of a bound that the multipliers prove.

    Parameters
    ----------
    network : SectorNetwork
        Without dead or linear neurons; its output is measured in l_2, which for a
        single output is its absolute value.
    norm : Norm
        Of the input.
    multipliers : Multipliers
        Any numbers.

    Raises
    ------
    RefusedCertificateError
        If they prove nothing.
    """
    # Scaling all of them changes no bound; a power of two rounds nothing.
    sizes = np.concatenate([np.ravel(part) for part in multipliers])
    largest = float(np.abs(sizes).max(initial=0.0))
    if not 0 < largest < np.inf:
        raise RefusedCertificateError("multipliers are not positive numbers")
    multipliers = multipliers.scaled(2.0 ** -int(np.frexp(largest)[1]))
    B = slack(network, multipliers)
    least, factor = least_eigenvalue(B)
    budget = norm.exact_budget(multipliers.tau) + multipliers.triangles.exact_budget()
    return budget * _form(B, least, factor)


def _form(B: Slack, least: Fraction, factor: BlockFactor) -> Fraction:
    """Return a bound of the largest eigenvalue of C B^-1 C'."""
    found = _solution(B, factor, float(least))
    # Both sides of B X = C' are multiplied by what brings X below one.
    largest = max(float(np.abs(x).max(initial=0.0)) for x in found)
    exponent = -int(np.frexp(largest)[1])
    digits = _MORE_DIGITS if least < _MAGNIFYING else _SOLUTION_DIGITS
    X = [proposed(np.ldexp(x, exponent), digits) for x in found]
    scaled = [block.times_power_of_two(exponent) for block in B.outputs]
    C = [fixed(block.parts, _DIGITS, block.error) for block in scaled]
    R = [_less(C[i], B, X, i) for i in range(len(X))]
    terms = [
        x.transposed().times(total([c, r]).transposed())
        for c, x, r in zip(C, X, R, strict=True)
    ]
    square = sum((r.rough_square_sum() for r in R), Fraction())
    form = largest_eigenvalue(total(terms)) + square / least
    return form / Fraction(4) ** exponent


@np.errstate(all="ignore")
def _solution(B: Slack, factor: BlockFactor, least: float) -> list[Array]:
    outputs = [block.floats() for block in B.outputs]
    return solution(B.floats, factor, outputs, least)


def _less(C: Fixed, B: Slack, X: Sequence[Fixed], i: int) -> Fixed:
    """Return block i of C' - B X."""
    terms = [C, -X[i].transposed().scaled_columns(B.diagonals[i]).transposed()]
    for (row, column), block in B.blocks.items():
        if row == i:
            terms.append(-block.times(X[column].transposed()))
        if column == i and row != i:
            terms.append(-block.transposed().times(X[row].transposed()))
    return total(terms)
