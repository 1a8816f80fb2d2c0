"""GeoLIP: one multiplier for each input and each neuron, l_inf inputs.

Source: Wang, Prakriya, Jha, NeurIPS 2022 (arXiv 2203.01212), dual program;
`geolip.relaxations.geolip`.
"""

from geolip import backend, settling
from geolip.methods import Answer, Label, Question

TITLE = "GeoLIP"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None, or why the relaxation does not apply or cannot be held."""
    network = question.network.sectors()
    return settling.refusal(network, question.norms, inputs=("inf", "1"))


def answer(question: Question) -> Answer:
    """Return the verified bound of the relaxation."""
    network, norms = question.network.sectors(), question.norms
    found = settling.settled(network, norms, question.settings, backend.get("auto"))
    return Answer(found.bound, Label.CERTIFIED, found.note)
