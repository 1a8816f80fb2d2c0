"""The norm product: every layer's operator norm, multiplied along the graph.

The weakest certified bound and the cheapest; the fallback when no multipliers verify.

Source: AutoLip (Virmaux and Scaman, NeurIPS 2018, section 3): where paths meet,
constants add; an activation multiplies by the largest absolute slope. A mixture, such
as a maximum, has the constant of what it mixes, in l_2 times the root of the overlap.
"""

import math
import sys
from collections.abc import Callable

import numpy as np

from geolip.bounds.operator_norm import operator_norm
from geolip.linear import LinearOperator
from geolip.norms import NormPair
from geolip.sectors import LinearMap, SectorNetwork

_SMALLEST = sys.float_info.min


def norm_product(
    network: SectorNetwork,
    norms: NormPair,
    measure: Callable[[LinearOperator, NormPair], float] = operator_norm,
) -> float:
    """Return an upper bound of the Lipschitz constant in the given norms.

    Parameters
    ----------
    network : SectorNetwork
        Any network.
    norms : NormPair
        Hidden layers are measured in the input's norm, the output in its own.
    measure : callable
        Bounds the norm of one operator; certificates need the default.
    """
    hidden = NormPair(norms.input, norms.input)
    constants = [1.0]

    def through(reading: LinearMap, pair: NormPair) -> float:
        terms = reading.terms.items()
        return sum(_product(measure(A, pair), constants[j]) for j, A in terms)

    for block in network.blocks:
        slope = float(
            np.maximum(np.abs(block.lower), np.abs(block.upper)).max(initial=0)
        )
        constant = _product(slope, through(block.preactivation, hidden))
        if block.mixture is not None:
            mixed = through(block.mixture.source, hidden)
            mixing = norms.input.of_mixing(block.mixture.overlap)
            constant = min(constant, _product(mixing, mixed))
        constants.append(constant)
    # One multiplication and addition an edge, each with one rounding.
    readings = [block.preactivation for block in network.blocks]
    readings += [block.mixture.source for block in network.blocks if block.mixture]
    edges = sum(1 + len(reading.terms) for reading in (*readings, network.output))
    rounding = 1 + (4 * edges + 8) * 2.0**-52
    return _product(through(network.output, norms), rounding)


def _product(left: float, right: float) -> float:
    if left == 0.0 or right == 0.0:
        return 0.0
    # A product that underflows has lost its relative accuracy; one step up bounds it.
    product = left * right
    return math.nextafter(product, math.inf) if product < _SMALLEST else product
