"""LipSDP-Neuron: one multiplier for each neuron, l_2 inputs.

Source: Fazlyab, Robey, Hassani, Morari, Pappas, NeurIPS 2019 (arXiv 1906.04893);
`geolip.relaxations.lipsdp`.
"""

from geolip import backend, settling
from geolip.methods import Answer, Label, Question

TITLE = "LipSDP-Neuron"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None, or why the relaxation does not apply or cannot be held."""
    network = question.network.sectors()
    return settling.refusal(network, question.norms, inputs=("2",))


def answer(question: Question) -> Answer:
    """Return the verified bound of the relaxation."""
    network, norms = question.network.sectors(), question.norms
    found = settling.settled(network, norms, question.settings, backend.get("auto"))
    return Answer(found.bound, Label.CERTIFIED, found.note)
