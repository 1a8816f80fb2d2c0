"""The verified bound that one solver finds of a whole network, and no other bound.

Where the constant is the largest of those of pieces, those that probably move most come
first; a piece is left as soon as its bound is below the largest by then. When time is
over, one bound covers all pieces that are left.
"""

import math
import time
from collections.abc import Container
from dataclasses import dataclass, replace

import numpy as np

from geolip import memory, pieces, presolve, relaxations
from geolip.backend import Backend, Settings, Status, checked
from geolip.errors import CertificationError
from geolip.incumbent import Incumbent
from geolip.norms import NORMS, NormPair
from geolip.pieces import Piece
from geolip.problem import Problem
from geolip.sectors import SectorNetwork

# The share of what is left of the time that a piece may take, of many pieces.
_FIRST = 0.25
# What needs no note.
_GOOD = (Status.SOLVED, Status.SETTLED, Status.TRIVIAL)


@dataclass(frozen=True)
class Settled:
    """A verified bound, and how the solver came to its end.

    Parameters
    ----------
    bound : float
        Of the Lipschitz constant.
    status : Status
        The first that is not as it should be, else solved.
    """

    bound: float
    status: Status

    @property
    def note(self) -> str:
        """What there is to say about the bound, empty if it is as tight as asked."""
        return "" if self.status in _GOOD else self.status.value


def refusal(
    network: SectorNetwork, norms: NormPair, inputs: Container[str]
) -> str | None:
    """Return None, or one line that says why there will be no bound.

    Parameters
    ----------
    network : SectorNetwork
        Any network.
    norms : NormPair
        Those of the question.
    inputs : collection of str
        The norms of inputs that the relaxation is about.
    """
    if norms.input.name not in inputs:
        return f"does not take l_{norms.input.name} inputs"
    problem = _problem(pieces.piece(network, norms, 0))
    if memory.fits(problem.numbers):
        return None
    sizes = problem.network.sizes
    return (
        f"{sizes[0]} inputs and {sum(sizes[1:])} neurons do not fit in memory as "
        "matrices"
    )


def settled(
    network: SectorNetwork, norms: NormPair, settings: Settings, engine: Backend
) -> Settled:
    """Return the bound of a network that a solver's multipliers prove.

    Parameters
    ----------
    network : SectorNetwork
        Any network.
    norms : NormPair
        Those of the bound.
    settings : Settings
        The accuracy is that of the largest piece; the time limit is for all pieces.
    engine : Backend
        The solver.

    Raises
    ------
    CertificationError
        If no multipliers verify, not even an interior point.
    """
    limit = math.inf if settings.time_limit is None else settings.time_limit
    deadline = time.monotonic() + limit
    order = _order(network, norms)
    largest, worst, longest = 0.0, Status.SOLVED, 0.0
    while order:
        start = time.monotonic()
        left = deadline - start
        if worst is Status.INTERRUPTED or (len(order) > 1 and left <= longest):
            piece, order = _together(network, norms, order), []
            share = left
        else:
            piece = pieces.piece(network, norms, order[0])
            share = left * max(1 / len(order), _FIRST)
            order = order[1:]
        own = replace(settings, time_limit=None if limit == math.inf else max(share, 0))
        found = _one(_problem(piece), own, engine, largest)
        # What is left together takes about as long as a piece.
        longest = max(longest, time.monotonic() - start)
        largest = max(largest, found.bound)
        worst = found.status if worst in _GOOD else worst
    return Settled(largest, worst)


def _one(
    problem: Problem, settings: Settings, engine: Backend, target: float
) -> Settled:
    """Return the bound of one problem; below the target any is good enough."""
    if problem.is_trivial:
        return Settled(0.0, Status.TRIVIAL)
    judge = Incumbent(problem, accuracy=settings.accuracy, target=target)
    try:
        solution = checked(engine.solve(problem, settings, judge), problem)
        judge.consider(solution.multipliers, solution.value, solution.iterations)
        status = solution.status
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    bound = judge.settle()
    if not bound < math.inf:
        raise CertificationError("no multipliers verify: rescale the weights")
    return Settled(bound, Status.SETTLED if bound <= target else status)


def _problem(piece: Piece) -> Problem:
    reduced = presolve.reduce(piece.relaxed).network
    _, relaxation = relaxations.choose(None, piece.ends)
    return relaxation.problem(reduced, piece.ends)


def _together(network: SectorNetwork, norms: NormPair, order: list[int]) -> Piece:
    """Return one piece whose constant is above those of all these pieces.

    Outputs that are not apart are bounded in l_2, and no input is longer in l_2 than in
    l_1.
    """
    if norms.columnwise:
        return Piece(network, NormPair(NORMS["2"], norms.output))
    return Piece(network.rows(np.isin(np.arange(network.output.size), order)), norms)


def _order(network: SectorNetwork, norms: NormPair) -> list[int]:
    """Return the pieces' indices, those that move much halfway up all slopes first."""
    middle = [(b.lower[:, None] + b.upper[:, None]) / 2 for b in network.blocks]
    gradients = network.adjoint_jacobian(middle, np.eye(network.output.size))
    if norms.rowwise and norms.columnwise:
        moves = np.abs(gradients.T).ravel()
    elif norms.columnwise:
        moves = norms.output.of(gradients.T)
    elif norms.rowwise:
        moves = norms.input.dual(gradients)
    else:
        return [0]
    return [int(index) for index in np.argsort(-moves, kind="stable")]
