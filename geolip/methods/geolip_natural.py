"""GeoLIP's natural relaxation: networks of two linear layers, one output at a time.

Source: Wang, Prakriya, Jha, NeurIPS 2022 (arXiv 2203.01212); `geolip.natural`.
"""

from geolip import natural, presolve, settling
from geolip.methods import Answer, Label, Question
from geolip.norms import NORMS

TITLE = "GeoLIP, natural"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None, or why there is no natural relaxation."""
    norms, network = question.norms, question.network.sectors()
    if not norms.rowwise and network.output.size > 1:
        return f"takes one output at a time, not {norms}"
    refused = settling.refusal(network, norms, inputs=NORMS)
    return refused or natural.refusal(presolve.reduce(network).network)


def answer(question: Question) -> Answer:
    """Return the verified bound of the relaxation."""
    network, norms = question.network.sectors(), question.norms
    found = settling.settled(network, norms, question.settings, natural)
    return Answer(found.bound, Label.CERTIFIED, found.note)
