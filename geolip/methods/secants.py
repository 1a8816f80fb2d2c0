"""The largest ratio found of two outputs' distance to that of their inputs.

Source: `geolip.bounds.secant`.
"""

from geolip.bounds.secant import largest_secant
from geolip.methods import Answer, Label, Question

TITLE = "largest secant found"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None: every network has values."""
    del question
    return None


def answer(question: Question) -> Answer:
    """Return the largest ratio, in the question's norms."""
    value = largest_secant(
        question.network, question.norms, question.settings.seed, question.deadline()
    )
    return Answer(value, Label.LOWER)
