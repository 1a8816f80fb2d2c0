"""GeoLIP's dual semidefinite program: l_inf inputs, networks of any depth.

Every input coordinate has a multiplier of its own and the budget is their sum. With a
single output this is the dual program of GeoLIP, and on two layers it equals the
natural one; with an l_2 output it is the same argument with one Schur complement more.

Source: Wang, Prakriya, Jha, NeurIPS 2022 (arXiv 2203.01212), dual SDP; docs/theory.md
section 3.
"""

from geolip.norms import NormPair
from geolip.problem import Problem
from geolip.sectors import SectorNetwork


def accepts(norms: NormPair) -> bool:
    """Return whether inputs are measured in l_inf, or move one at a time."""
    return norms.input.name in ("inf", "1")


def problem(network: SectorNetwork, norms: NormPair) -> Problem:
    """Return the problem that bounds the network's whole output."""
    return Problem(network, norms.input)
