"""Bounding one output, or all together: solve, verify, fall back, bound from below.

A solver is never believed: every bound comes from the verifier or from a closed form,
whatever happens to the solver.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from geolip import backend, memory, ordering, presolve, relaxations, splitting
from geolip.backend import Settings, Solution, Status
from geolip.bounds.gradient import largest_gradient
from geolip.bounds.norm_product import norm_product
from geolip.bounds.pattern import largest_pattern
from geolip.clock import StageClock
from geolip.errors import CertificationError
from geolip.incumbent import Incumbent, Progress
from geolip.network import Network
from geolip.norms import NormPair
from geolip.pieces import Piece
from geolip.presolve import Reduction
from geolip.problem import Problem
from geolip.proof import CONSTANT, MULTIPLIERS, NORM_PRODUCT, Proof
from geolip.report import OutputReport
from geolip.solving import Solving
from geolip.splitting import Part
from geolip.target import Target

# The gap at which a solver may stop that bounds many pieces at once.
_COARSE = 0.03
# So many inputs are searched for lower bounds at the most.
_SEARCHED = 32


@dataclass
class Bounding:
    """Bounds target after target; what they share.

    Parameters
    ----------
    network : Network
        What is certified.
    norms : NormPair
        In which.
    method : str
        The relaxation's name.
    relaxation : Relaxation
        Makes the problems.
    engine : Backend
        The solver.
    settings : Settings
        Its settings; the time limit is for all targets together.
    refine_all : bool
        Whether each target is settled to the accuracy, or only the largest.
    seeks_lower_bounds : bool
        False where the network only moves more than the one that is asked about.
    clock, progress
        Where stages are timed and lines are shown.

    Attributes
    ----------
    proofs : list of Proof or None
        Of the bounds returned last, in their order; None where several bounds were
        multiplied.
    """

    network: Network
    norms: NormPair
    method: str
    relaxation: relaxations.Relaxation
    engine: backend.Backend
    settings: Settings
    refine_all: bool
    seeks_lower_bounds: bool
    clock: StageClock
    progress: Progress
    notes: list[str] = field(default_factory=list)
    proofs: list[Proof | None] = field(default_factory=list)
    _largest: float = 0.0
    _lowest: float = 0.0
    _searched: int = 0

    def __post_init__(self) -> None:
        self._solving = Solving(self.engine, self.settings, self.clock, self.notes)

    def bound(self, targets: Sequence[Target]) -> list[OutputReport]:
        """Return a report for each target, or for the parts that stand for it."""
        found: dict[int | None, tuple[OutputReport, Proof | None]] = {}
        waiting = deque(self._ordered(targets))
        while waiting:
            left, target = len(waiting), waiting.popleft()
            answer = self._one(target, left)
            if answer is None:
                waiting.extendleft(reversed(target.parts))
                continue
            found[target.index] = answer
            self._largest = max(self._largest, answer[0].bound)
            self._lowest = max(self._lowest, answer[0].lower_bound)
        # In the order of the targets, parts in that of their numbers.
        places = {target.index: place for place, target in enumerate(targets)}
        known = sorted(found, key=lambda i: (places.get(i, -1), i or 0))
        self.proofs = [found[index][1] for index in known]
        return [found[index][0] for index in known]

    def _ordered(self, targets: Sequence[Target]) -> list[Target]:
        if self.refine_all:
            return list(targets)
        try:
            with self.clock.stage("build"):
                return ordering.ordered(targets, self.settings)
        except KeyboardInterrupt:
            self._solving.interrupt()
            return list(targets)

    def _one(
        self, target: Target, left: int
    ) -> tuple[OutputReport, Proof | None] | None:
        """Return what is found of a target, None if its parts are to be bounded."""
        parts, piece = bool(target.parts), target.piece
        if parts and not self._largest:
            return None
        with self.clock.stage("build"):
            reduction = presolve.reduce(piece.relaxed)
            problem = self.relaxation.problem(reduction.network, self.norms)
        if problem.is_trivial:
            return target.constant(), Proof(target.index, 0.0, CONSTANT)
        judge = self._judge(problem, target.label, self._largest)
        if parts:
            judge.accuracy = max(judge.accuracy, _COARSE)
        if _fits(problem):
            solution = self._solving.run(problem, judge, left)
            verified, method = judge.bound, self.method
        else:
            whole = Part(reduction.network, piece.ends)
            solution = Solution(Status.PARTS)
            verified, method = self._in_parts(whole, target.label, left)
        status = solution.status
        if status is Status.SOLVED and judge.gap > self.settings.accuracy:
            below = judge.bound <= self._largest and not self.refine_all
            status = Status.SETTLED if below else Status.INACCURATE
        best = partial(self._best, verified, method, piece, target.label)
        bound, source = self._solving.finished(best)
        if parts and bound > self._largest and self._goes_on():
            return None
        fgl = lower = 0.0
        if self._may_be_largest(judge.value or bound):
            self.progress(f"{target.label}: lower bounds")
            lowers = partial(self._lower_bounds, piece, reduction, solution, left)
            fgl, lower = self._solving.finished(lowers)
        report = OutputReport(
            name=target.name,
            index=target.index,
            bound=bound,
            source=source,
            lower_bound=lower,
            fgl_lower_bound=max(fgl, lower),
            relaxation_value=judge.value,
            status=status.value,
            iterations=solution.iterations,
        )
        return report, self._proof(report, reduction, judge)

    def _goes_on(self) -> bool:
        """Return whether there is time to bound parts instead of their whole."""
        solving = self._solving
        return not solving.interrupted and solving.share(1, "solve", "verify") > 0

    def _may_be_largest(self, about: float) -> bool:
        """Return whether to search for a lower bound: of an output, always.

        Inputs are many, so that only the first few are searched.
        """
        if not self.norms.columnwise or not self.seeks_lower_bounds:
            return self.seeks_lower_bounds
        self._searched += about > self._lowest
        return about > self._lowest and self._searched <= _SEARCHED

    def _proof(
        self, report: OutputReport, reduction: Reduction, judge: Incumbent
    ) -> Proof | None:
        """Return what a certificate needs, None for a network bounded in parts."""
        if report.source == NORM_PRODUCT:
            return Proof(report.index, report.bound, NORM_PRODUCT)
        if report.source != self.method or judge.multipliers is None:
            return None
        multipliers = reduction.restored(judge.multipliers)
        return Proof(report.index, report.bound, MULTIPLIERS, multipliers)

    def _judge(self, problem: Problem, label: str, target: float) -> Incumbent:
        return Incumbent(
            problem,
            accuracy=self.settings.accuracy,
            target=0.0 if self.refine_all else target,
            label=label,
            clock=self.clock,
            progress=self.progress,
        )

    def _in_parts(self, whole: Part, label: str, left: int) -> tuple[float, str]:
        """Return the product of bounds of parts that fit, and what to call it."""
        parts = splitting.parts(whole, _fits)
        product = 1.0
        for number, part in enumerate(parts, 1):
            name = f"{label}, part {number} of {len(parts)}"
            share = left * len(parts) - number + 1
            bound = partial(self._part, label=name, left=share)
            product = splitting.multiplied(
                product, splitting.bounded(part, _fits, bound)
            )
        size = f"{_size(whole.problem)} do not fit in memory as matrices"
        if len(parts) == 1:
            self.notes.append(f"{size}: the norm product is reported")
            return np.inf, self.method
        left_out = sum(not _fits(part.problem) for part in parts)
        how = f", {left_out} of them by their norm product" if left_out else ""
        self.notes.append(f"{size}: bounded in {len(parts)} parts{how}")
        return product, f"{len(parts)} parts"

    def _part(self, problem: Problem, label: str, left: int) -> float:
        judge = self._judge(problem, label, 0.0)
        # As text: a look is about an output, and a part's bound is not.
        judge.progress = lambda what: self.progress(str(what))
        self._solving.run(problem, judge, left)
        return judge.bound

    def _best(
        self, verified: float, method: str, piece: Piece, label: str
    ) -> tuple[float, str]:
        """Return the least valid bound and what gave it."""
        with self.clock.stage("verify"):
            network = piece.network
            product = norm_product(presolve.reduce(network).network, self.norms)
            if network.has_mixtures:
                product = min(product, norm_product(network, self.norms))
        candidates = {method: verified, NORM_PRODUCT: product}
        finite = {name: b for name, b in candidates.items() if 0 < b < np.inf}
        if not finite:
            raise CertificationError(
                f"{label} has no finite bound: no multipliers verify and the "
                "norm product leaves float64's range; rescale the weights"
            )
        source = min(finite, key=lambda name: finite[name])
        return finite[source], source

    def _lower_bounds(
        self, piece: Piece, reduction: Reduction, solution: Solution, left: int
    ) -> tuple[float, float]:
        """Return lower bounds of the formal and of the true constant."""
        seed = self.settings.seed
        # As long again as the solver may take, half of it for each.
        half = self._solving.share(left, "lower_bound") / 2
        start = time.monotonic()
        with self.clock.stage("lower_bound"):
            fgl, direction = largest_pattern(
                reduction.network,
                piece.ends,
                seed,
                solution.vectors,
                start + half,
            )
            along = [reduction.restored_input(direction)]
            lower = largest_gradient(
                self.network,
                piece.network,
                self.norms,
                seed,
                along if piece.moved is None else [],
                start + 2 * half,
            )
        return fgl, lower


def _fits(problem: Problem) -> bool:
    return memory.fits(problem.numbers)


def _size(problem: Problem) -> str:
    """Return how large a problem is, for messages."""
    sizes = problem.network.sizes
    return f"{sizes[0]} inputs and {sum(sizes[1:])} neurons"
