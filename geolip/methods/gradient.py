"""The largest gradient found: points of the input space, improved by ascent.

Source: `geolip.bounds.gradient`.
"""

from geolip.bounds.gradient import largest_gradient
from geolip.methods import Answer, Label, Question

TITLE = "largest gradient found"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None: every network has gradients."""
    del question
    return None


def answer(question: Question) -> Answer:
    """Return the largest gradient's norm, in the question's norms."""
    value = largest_gradient(
        question.network,
        question.network.sectors(),
        question.norms,
        question.settings.seed,
        deadline=question.deadline(),
    )
    return Answer(value, Label.LOWER)
