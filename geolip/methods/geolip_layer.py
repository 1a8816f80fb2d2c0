"""GeoLIP with one multiplier for each layer of neurons, l_inf inputs.

Coarser and with fewer variables; it may be above the norm product.

Source: option `approx_hidden` of GeoLIP's code (Wang, Prakriya, Jha, NeurIPS 2022);
`geolip.layered`.
"""

from geolip import layered, settling
from geolip.methods import Answer, Label, Question

TITLE = "GeoLIP, one multiplier a layer"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None, or why the relaxation does not apply or cannot be held."""
    network = question.network.sectors()
    refused = settling.refusal(network, question.norms, inputs=("inf", "1"))
    return refused or layered.refusal(network)


def answer(question: Question) -> Answer:
    """Return the verified bound of the relaxation."""
    network, norms = question.network.sectors(), question.norms
    found = settling.settled(network, norms, question.settings, layered)
    return Answer(found.bound, Label.CERTIFIED, found.note)
