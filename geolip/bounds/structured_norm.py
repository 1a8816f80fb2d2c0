"""Upper bounds of operator norms that look into large maps.

Where a map is too large for its matrix to be formed, `geolip.bounds.operator_norm`
leaves the Schur test for l_2. Here a convolution is bounded by its symbols, a sum or
composition by its parts, copies of a matrix by one. Certificates cannot use it: what
checks them decides in integers, and knows no roots of unity.

Source: `geolip.bounds.convolution_norm`; norms of sums and products.
"""

from dataclasses import replace
from math import inf, prod

from geolip.bounds.convolution_norm import convolution_norm
from geolip.bounds.operator_norm import operator_norm
from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    LinearOperator,
    Sum,
    TransposedConvolution,
)
from geolip.norms import NormPair, parse
from geolip.rigor.rounding import up


def structured_norm(operator: LinearOperator, norms: NormPair) -> float:
    """Return an upper bound of ``max ||A x||_out over ||x||_in <= 1``.

    At most that of `operator_norm`.
    """
    whole = operator_norm(operator, norms)
    return min(whole, _spectral(operator)) if str(norms) == "2:2" else whole


def induced_norms(operator: LinearOperator) -> dict[str, float]:
    """Return upper bounds of the norms from l_p to l_p for p = 1, 2 and inf."""
    return {p: structured_norm(operator, parse(p)) for p in ("1", "2", "inf")}


def _spectral(operator: LinearOperator) -> float:
    pair = parse("2")
    match operator:
        case Convolution():
            return convolution_norm(operator)
        case TransposedConvolution(convolution=convolution):
            return convolution_norm(convolution)
        case Composition(factors=factors):
            product = prod(structured_norm(factor, pair) for factor in factors)
            return up(product, len(factors))
        case Sum(terms=terms):
            return up(sum(structured_norm(term, pair) for term in terms), len(terms))
        case Dense(outer=outer, inner=inner) if outer * inner > 1:
            return operator_norm(replace(operator, outer=1, inner=1), pair)
    return inf
