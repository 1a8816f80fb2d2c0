"""SeqLip as its authors compute it: an estimate, no bound.

Each factor's maximum is sought by flipping slopes, and what is found is below it: the
product may be below the constant.

Source: `geolip.bounds.seqlip`.
"""

from collections.abc import Callable

from geolip.bounds.matrix_norm import matrix_norm
from geolip.bounds.pattern import largest_pattern
from geolip.bounds.seqlip import EUCLIDEAN, factors
from geolip.methods import Answer, Label, Question, eclipse_fast
from geolip.presolve import reduce
from geolip.sectors import SectorNetwork
from geolip.splitting import multiplied

TITLE = "SeqLip, greedy"

refusal = eclipse_fast.refusal


def answer(question: Question) -> Answer:
    """Return the product of the largest norms found of the factors."""
    seed = question.settings.seed

    def found(factor: SectorNetwork) -> float:
        return largest_pattern(factor, EUCLIDEAN, seed, deadline=question.deadline())[0]

    value, _ = product(question, found)
    return Answer(value, Label.ESTIMATE, "no bound: it may be below the constant")


def product(
    question: Question, constant: Callable[[SectorNetwork], float]
) -> tuple[float, float]:
    """Return the product of the factors' constants, and what a bound adds to it."""
    network = reduce(question.network.sectors()).network
    if not network.output.terms:
        return 0.0, 0.0
    if not network.blocks:
        return matrix_norm(network.output.terms[0].dense(), EUCLIDEAN), 0.0
    networks, remainder = factors(network)
    value = 1.0
    for factor in networks:
        value = multiplied(value, constant(factor))
    return value, remainder
