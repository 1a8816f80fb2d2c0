"""ECLipsE-Fast: one multiplier a layer, from a formula, verified.

Source: `geolip.bounds.eclipse`.
"""

import numpy as np

from geolip import memory
from geolip.bounds.eclipse import Step, closed_form, multipliers
from geolip.errors import CertificationError
from geolip.methods import Answer, Label, Question
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.repair import rescued
from geolip.verify import round_multipliers, verified_bound

TITLE = "ECLipsE-Fast"


def refusal(question: Question) -> str | None:
    """Return why not: another norm, a graph that is no chain, too little memory."""
    if str(question.norms) != "2:2":
        return f"takes 2:2, not {question.norms}"
    problem = _problem(question)
    if not problem.is_trivial and not problem.network.is_chain:
        return "takes chains: here some layer reads another than the one before"
    if not memory.fits(problem.numbers):
        return "the matrices of the layers do not fit in memory"
    return None


def answer(question: Question) -> Answer:
    """Return the verified bound of the formula's multipliers."""
    return proved(question, closed_form)


# Overflow ends in infinities and NaN, which the verifier and every repair refuse.
@np.errstate(over="ignore", invalid="ignore")
def proved(question: Question, step: Step) -> Answer:
    """Return what the multipliers of a pass with this step prove.

    Raises
    ------
    CertificationError
        If they prove nothing, even repaired.
    """
    problem = _problem(question)
    if problem.is_trivial:
        return Answer(0.0, Label.CERTIFIED)
    found = multipliers(problem.network, step)
    bound = None
    if found is not None:
        bound = verified_bound(problem, round_multipliers(found))
    if bound is not None:
        return Answer(bound, Label.CERTIFIED)
    repaired = rescued(problem, found)
    if repaired is not None:
        bound = verified_bound(problem, round_multipliers(repaired[1]))
    if bound is None:
        raise CertificationError("its multipliers prove nothing: rescale the weights")
    return Answer(bound, Label.CERTIFIED, "the multipliers had to be repaired")


def _problem(question: Question) -> Problem:
    network = reduce(question.network.sectors()).network
    return Problem(network, question.norms.input)
