"""The largest gradient of random points, without any search.

Source: `geolip.bounds.sampling`.
"""

from geolip.bounds.sampling import REACH, largest_sampled
from geolip.methods import Answer, Label, Question

TITLE = "sampled gradients"
ANYTIME = True

# As many as GeoLIP's authors take, if there is a limit of time, or what takes seconds.
_MANY, _SOME = 200_000, 5_000


def refusal(question: Question) -> str | None:
    """Return None: every network has gradients."""
    del question
    return None


def answer(question: Question) -> Answer:
    """Return the largest gradient's norm among random points."""
    limit = question.settings.time_limit
    value, tried = largest_sampled(
        question.network,
        question.norms,
        question.settings.seed,
        _SOME if limit is None else _MANY,
        question.deadline(),
    )
    note = f"{tried} points in [{-REACH:g}, {REACH:g}]^{question.network.input_size}"
    return Answer(value, Label.LOWER, note)
