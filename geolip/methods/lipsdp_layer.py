"""LipSDP-Layer: one multiplier for each layer of neurons, l_2 inputs.

Source: Fazlyab, Robey, Hassani, Morari, Pappas, NeurIPS 2019 (arXiv 1906.04893);
`geolip.layered`.
"""

from geolip import layered, settling
from geolip.methods import Answer, Label, Question

TITLE = "LipSDP-Layer"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None, or why the relaxation does not apply or cannot be held."""
    network = question.network.sectors()
    refused = settling.refusal(network, question.norms, inputs=("2",))
    return refused or layered.refusal(network)


def answer(question: Question) -> Answer:
    """Return the verified bound of the relaxation."""
    network, norms = question.network.sectors(), question.norms
    found = settling.settled(network, norms, question.settings, layered)
    return Answer(found.bound, Label.CERTIFIED, found.note)
