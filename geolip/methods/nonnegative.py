"""The exact constant of networks without negative weights: all slopes at their largest.

Source: `geolip.bounds.nonnegative`; the upper half is `geolip.bounds.entrywise`.
"""

from geolip.bounds.nonnegative import (
    dominant_norm,
    has_negative_weights,
    steepest_far_up,
)
from geolip.methods import Answer, Label, Question, k3

TITLE = "non-negative weights"

# The constant is exact where it is known to so many parts of it.
_EXACT = 1e-6


def refusal(question: Question) -> str | None:
    """Return why not: a negative weight, or slopes that are not the steepest far up."""
    if has_negative_weights(question.network.sectors()):
        return "takes no negative weights"
    for block in question.network.blocks:
        if not steepest_far_up(block):
            name = block.activation.name
            return f"for large inputs {name} of {block.name!r} is not at its steepest"
    return None


def answer(question: Question) -> Answer:
    """Return the constant, confirmed from below."""
    value = k3.answer(question).value
    lower = dominant_norm(question.network, question.norms, value)
    if lower >= value * (1 - _EXACT):
        return Answer(value, Label.EXACT)
    return Answer(value, Label.CERTIFIED, f"confirmed from below: {lower:.6g}")
