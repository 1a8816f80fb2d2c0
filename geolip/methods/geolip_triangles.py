"""GeoLIP with triangle inequalities among inputs: below the relaxation, l_inf inputs.

Source: `geolip.triangles`; docs/theory.md section 3 (c).
"""

from geolip import backend, settling
from geolip.methods import Answer, Label, Question

TITLE = "GeoLIP with triangles"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None, or why the relaxation does not apply or cannot be held."""
    network = question.network.sectors()
    return settling.refusal(network, question.norms, inputs=("inf",))


def answer(question: Question) -> Answer:
    """Return the verified bound, GeoLIP's where no triangle makes it tighter."""
    network, norms = question.network.sectors(), question.norms
    engine = backend.get("triangles")
    found = settling.settled(network, norms, question.settings, engine)
    return Answer(found.bound, Label.CERTIFIED, found.note)
