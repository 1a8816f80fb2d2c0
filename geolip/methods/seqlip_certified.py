"""SeqLip with a proved bound of each factor: LipSDP-Neuron's of two layers.

Source: `geolip.bounds.seqlip`.
"""

import math
from dataclasses import replace

from geolip import backend, settling
from geolip.bounds.seqlip import EUCLIDEAN
from geolip.methods import Answer, Label, Question, seqlip
from geolip.sectors import SectorNetwork

TITLE = "SeqLip, certified"
ANYTIME = True

refusal = seqlip.refusal


def answer(question: Question) -> Answer:
    """Return the product of the factors' verified bounds, and a remainder."""
    settings, notes = question.settings, []
    if settings.time_limit is not None:
        layers = max(1, len(question.network.blocks))
        settings = replace(settings, time_limit=settings.time_limit / layers)

    def proved(factor: SectorNetwork) -> float:
        found = settling.settled(factor, EUCLIDEAN, settings, backend.get("auto"))
        notes.append(found.note)
        return found.bound

    value, remainder = seqlip.product(question, proved)
    bound = math.nextafter(value + remainder, math.inf) if value else 0.0
    return Answer(bound, Label.CERTIFIED, ", ".join(dict.fromkeys(filter(None, notes))))
