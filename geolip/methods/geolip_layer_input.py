"""GeoLIP with one multiplier for all inputs and one for each layer, l_inf inputs.

One tau for all n inputs has the budget ``T = n tau``, where l_2 inputs have ``tau``:
the bound is sqrt(n) times that of LipSDP-Layer, as ``|x|_2 <= sqrt(n) |x|_inf``.

Source: options `approx_input` and `approx_hidden` of GeoLIP's code (Wang, Prakriya,
Jha, NeurIPS 2022); `geolip.layered`.
"""

import math

from geolip import layered, settling, splitting
from geolip.methods import Answer, Label, Question
from geolip.norms import NORMS, NormPair

TITLE = "GeoLIP, one multiplier a layer and for all inputs"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None, or why the relaxation does not apply or cannot be held."""
    network = question.network.sectors()
    refused = settling.refusal(network, question.norms, inputs=("inf",))
    return refused or layered.refusal(network)


def answer(question: Question) -> Answer:
    """Return the root of the number of inputs times the l_2 bound."""
    network = question.network.sectors()
    norms = NormPair(NORMS["2"], question.norms.output)
    found = settling.settled(network, norms, question.settings, layered)
    root = math.nextafter(math.sqrt(network.input_size), math.inf)
    bound = splitting.multiplied(root, found.bound)
    return Answer(bound, Label.CERTIFIED, found.note)
