"""ECLipsE: one multiplier a neuron, from one small semidefinite program a layer.

Source: `geolip.bounds.eclipse`.
"""

from dataclasses import replace

from geolip import backend
from geolip.bounds.eclipse import sequential
from geolip.incumbent import Incumbent
from geolip.methods import Answer, Question, eclipse_fast
from geolip.multipliers import Multipliers
from geolip.problem import Problem

TITLE = "ECLipsE"
ANYTIME = True

refusal = eclipse_fast.refusal


def answer(question: Question) -> Answer:
    """Return the verified bound of the multipliers, layer after layer."""
    layers = len(question.network.blocks)
    limit = question.settings.time_limit
    share = None if limit is None else limit / max(layers, 1)
    settings = replace(question.settings, time_limit=share)

    def solve(problem: Problem) -> Multipliers | None:
        judge = Incumbent(problem, accuracy=settings.accuracy)
        solution = backend.get("auto").solve(problem, settings, judge)
        judge.consider(solution.multipliers, solution.value)
        judge.settle()
        return judge.multipliers

    return eclipse_fast.proved(question, sequential(solve))
