"""The largest slope pattern found: a lower bound of the formal constant alone.

Source: `geolip.bounds.pattern`.
"""

from geolip.bounds.pattern import largest_pattern
from geolip.methods import Answer, Label, Question
from geolip.presolve import reduce

TITLE = "largest slope pattern found"
ANYTIME = True


def refusal(question: Question) -> str | None:
    """Return None: every network has slope patterns."""
    del question
    return None


def answer(question: Question) -> Answer:
    """Return the largest norm of a Jacobian with slopes at the ends of their sectors.

    Which need not be a Jacobian of the network at any input.
    """
    network = reduce(question.network.sectors()).network
    if not network.output.terms:
        return Answer(0.0, Label.FGL_LOWER)
    seed = question.settings.seed
    value, _ = largest_pattern(
        network, question.norms, seed, deadline=question.deadline()
    )
    return Answer(value, Label.FGL_LOWER)
