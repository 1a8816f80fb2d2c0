"""The formal constant itself, by branch and bound on slopes and signs of inputs.

Source: `geolip.branching`.
"""

from geolip.formal import EXACT, formal_constant
from geolip.formal import refusal as too_large
from geolip.methods import Answer, Label, Question

TITLE = "FGL by branch and bound"

# Where no time limit is set.
_SECONDS = 60.0


def refusal(question: Question) -> str | None:
    """Return one line if the network is too large to search."""
    return too_large(question.network, question.norms)


def answer(question: Question) -> Answer:
    """Return the FGL, or the best upper bound by the time limit or in a minute."""
    limit = question.settings.time_limit
    report = formal_constant(
        question.network,
        question.norms,
        time_limit=_SECONDS if limit is None else limit,
        seed=question.settings.seed,
    )
    if question.network.inexact:
        return Answer(report.upper, Label.ESTIMATE, report.notes[0])
    if report.status == EXACT:
        return Answer(report.upper, Label.EXACT)
    gap = f"{report.gap:.1e} above the best slope pattern ({report.status})"
    return Answer(report.upper, Label.CERTIFIED, gap)
