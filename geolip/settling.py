"""The verified bound that one solver finds of a whole network, and no other bound.

Where the constant is the largest of those of pieces, those that probably move most come
first; a piece is left as soon as its bound is below the largest by then. When time is
over, one bound covers all pieces that are left. Where time is limited, a quick one of
all pieces comes before the first, so that whoever interrupts a piece has an answer.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geolip import memory, pieces, presolve, relaxations
from geolip.backend import Backend, Settings, Status, checked
from geolip.errors import CertificationError, SolverError
from geolip.incumbent import Incumbent
from geolip.norms import NORMS, NormPair
from geolip.ordering import ordered
from geolip.pieces import Piece
from geolip.problem import Problem
from geolip.sectors import SectorNetwork
from geolip.target import Target, targets_of

# The share of the time left that a piece may take, at least.
_FIRST = 0.25
# The share of the time that a solver has for a quick bound of all pieces.
_QUICK = 0.1
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
    network: SectorNetwork, norms: NormPair, inputs: Collection[str]
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
        taken = " or ".join(f"l_{name}" for name in inputs)
        return f"takes {taken} inputs, not l_{norms.input.name}"
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
    targets = targets_of(network, norms, "largest")
    if settings.time_limit is None:
        return _by_pieces(targets, settings, engine)
    deadline = time.monotonic() + settings.time_limit
    found = _in_time(targets, settings, engine, deadline)
    if found.status is Status.INTERRUPTED and time.monotonic() > deadline:
        return replace(found, status=Status.TIME_LIMIT)
    return found


def _in_time(
    targets: Sequence[Target], settings: Settings, engine: Backend, deadline: float
) -> Settled:
    """Return the largest bound of pieces, or that of the whole if it comes to that."""
    if len(targets) < 2:
        return _by_pieces(targets, settings, engine)
    share = _QUICK * (deadline - time.monotonic())
    quick = replace(settings, time_limit=max(share, 0.0))
    whole = _one(_together(targets), quick, engine, settle=Incumbent.verified)
    if whole.status is Status.INTERRUPTED:
        return whole
    settings = replace(settings, time_limit=max(deadline - time.monotonic(), 0.0))
    try:
        found = _by_pieces(targets, settings, engine, whole)
    except KeyboardInterrupt:
        return replace(whole, status=Status.INTERRUPTED)
    return replace(found, bound=min(found.bound, whole.bound))


def _by_pieces(
    targets: Sequence[Target],
    settings: Settings,
    engine: Backend,
    whole: Settled | None = None,
) -> Settled:
    """Return the largest bound of pieces; after an interrupt, that of the whole."""
    limit = math.inf if settings.time_limit is None else settings.time_limit
    deadline = time.monotonic() + limit
    waiting = deque(ordered(targets, settings))
    largest, worst, longest = 0.0, Status.SOLVED, 0.0
    while waiting:
        start = time.monotonic()
        left = deadline - start
        late = len(waiting) > 1 and left <= longest
        if worst is Status.INTERRUPTED and whole is not None:
            return replace(whole, status=worst)
        if late or worst is Status.INTERRUPTED:
            problem, share, parts = _together(waiting), left, []
            waiting.clear()
        else:
            share = left * max(1 / len(waiting), _FIRST)
            target = waiting.popleft()
            problem, parts = _problem(target.piece), target.parts
        own = replace(settings, time_limit=None if limit == math.inf else max(share, 0))
        # Many pieces together first have something to be below.
        found = _one(problem, own, engine, largest) if largest or not parts else None
        stopped = found is not None and found.status is Status.INTERRUPTED
        if parts and not stopped and (found is None or found.bound > largest):
            waiting.extendleft(reversed(parts))
            continue
        # What is left together takes about as long as a piece.
        longest = max(longest, time.monotonic() - start)
        if found is not None:
            status = found.status
            if late and status in _GOOD and found.bound > largest:
                # Its own best, but pieces would have had less.
                status = Status.TIME_LIMIT
            largest = max(largest, found.bound)
            worst = status if worst in _GOOD else worst
    return Settled(largest, worst)


def _one(
    problem: Problem,
    settings: Settings,
    engine: Backend,
    target: float = 0.0,
    settle: Callable[[Incumbent], float] = Incumbent.settle,
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
    except SolverError:
        status = Status.FAILED
    try:
        # After an interrupt there is no time to make a bound better.
        stopped = status is Status.INTERRUPTED
        bound = judge.verified() if stopped else settle(judge)
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
        bound = judge.verified()
    if bound == math.inf:
        bound = judge.settle()
    if not bound < math.inf:
        raise CertificationError("no multipliers verify: rescale the weights")
    if bound <= target and status is not Status.INTERRUPTED:
        status = Status.SETTLED
    return Settled(bound, status)


def _problem(piece: Piece) -> Problem:
    reduced = presolve.reduce(piece.relaxed).network
    _, relaxation = relaxations.choose(None, piece.ends)
    return relaxation.problem(reduced, piece.ends)


def _together(left: Sequence[Target]) -> Problem:
    """Return one problem whose constant is above those of all these pieces.

    No coordinate of an output is above its l_2 norm, and no input is longer in l_2 than
    in l_1.
    """
    network, norms = left[0].sectors, left[0].norms
    if norms.rowwise:
        outputs = [pieces.place(network, norms, t.index or 0)[0] for t in left]
        rows = [range(network.output.size) if i is None else [i] for i in outputs]
        kept = np.isin(np.arange(network.output.size), np.concatenate(rows))
        network, norms = network.rows(kept), NormPair(norms.input, NORMS["2"])
    if norms.columnwise:
        norms = NormPair(NORMS["2"], norms.output)
    return _problem(Piece(network, norms))
