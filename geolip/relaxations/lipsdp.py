"""LipSDP-Neuron: l_2 inputs, one multiplier a neuron, networks of any depth.

All input coordinates share one multiplier. The forms of LipSDP that couple multipliers
of different neurons are not valid bounds and are not offered.

Source: Fazlyab, Robey, Hassani, Morari, Pappas, NeurIPS 2019 (arXiv 1906.04893),
theorem 2 with diagonal T; docs/theory.md section 3.
"""

from geolip.norms import NormPair
from geolip.problem import Problem
from geolip.sectors import SectorNetwork


def accepts(norms: NormPair) -> bool:
    """Return whether inputs are measured in l_2, or move one at a time."""
    return norms.input.name in ("2", "1")


def problem(network: SectorNetwork, norms: NormPair) -> Problem:
    """Return the problem that bounds the network's whole output."""
    return Problem(network, norms.input)
