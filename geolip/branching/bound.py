"""The bound of one region, proved, and how to split the region further.

Source: docs/solvers.md section 9.
"""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geolip import backend, pieces, relaxations
from geolip.arrays import Array, row_norms
from geolip.backend import Settings
from geolip.bounds.norm_product import norm_product
from geolip.branching.compact import COLD, Compact, Point, repaired
from geolip.branching.enumeration import enumerated, is_tame, patterns
from geolip.branching.pattern import rounded
from geolip.branching.region import Pattern, Region, Restriction, restricted
from geolip.errors import GeolipError
from geolip.incumbent import Incumbent, proved
from geolip.norms import NormPair
from geolip.pieces import Piece
from geolip.problem import Problem
from geolip.sectors import SectorNetwork

_LEAST_RANK, _MOST_RANK = 4, 16
# Jacobians of so many numbers in all are enumerated, about the price of one bound.
ENUMERATED = 2.0**18


@dataclass(frozen=True, eq=False)
class Vectors:
    """Where the iteration of a smaller region starts, for all inputs and neurons.

    In float32: there are many of them, and they are no more than a start.
    """

    inputs: NDArray[np.float32]
    directions: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Bounded:
    """What is known of a region.

    Parameters
    ----------
    bound : float
        Proved: no pattern of the region has a larger Jacobian.
    children : tuple of Region
        The two parts to split it into; none where nothing is left to fix.
    vectors : Vectors or None
        A start for the children.
    pattern : Pattern or None
        A pattern of the region.
    value, relaxed : float
        The pattern's value and the relaxation's, as computed.
    """

    bound: float
    children: tuple[Region, ...] = ()
    vectors: Vectors | None = None
    pattern: Pattern | None = None
    value: float = 0.0
    relaxed: float = 0.0


class Bounder:
    """Bounds regions of the pieces that a network's constant consists of.

    Parameters
    ----------
    network : SectorNetwork
        Reduced, with all outputs.
    norms : NormPair
        In which to measure.
    seed : int
        Of random starts.
    largest : float
        The numbers of all Jacobians up to which patterns are enumerated.

    Attributes
    ----------
    count : int
        How many pieces there are.
    sizes : tuple of int
        Of the blocks 0..K of any piece's network.
    """

    def __init__(
        self,
        network: SectorNetwork,
        norms: NormPair,
        seed: int,
        largest: float = ENUMERATED,
    ) -> None:
        self._seed = seed
        self._largest = largest if is_tame(network) else 0.0
        self.count = pieces.count(network, norms)
        self._network, self._norms = network, norms
        # Kept for as many as are usually worked on in turns.
        self._piece = lru_cache(maxsize=32)(self._made)
        # From an l_1 input that nothing reads there are none.
        some = pieces.piece(network, norms, 0) if self.count else Piece(network, norms)
        self.ends, self.sizes = some.ends, some.relaxed.sizes
        _, self._relaxation = relaxations.choose(None, self.ends)
        rank = math.isqrt(2 * sum(self.sizes)) + 1
        self.rank = max(_LEAST_RANK, min(rank, _MOST_RANK))

    def _made(self, index: int) -> SectorNetwork:
        return pieces.piece(self._network, self._norms, index).relaxed

    def whole(self) -> Iterator[Region]:
        """Yield the regions that all slope patterns consist of: one for each piece."""
        inputs, *hidden = self.sizes
        slopes, signs = np.zeros(sum(hidden), np.int8), np.zeros(inputs, np.int8)
        for index in range(self.count):
            region = Region(index, slopes, signs)
            if self.ends.input.name == "inf":
                # One of the inputs that matter is what others are compared with.
                for first in self._restricted(region).inputs[:1]:
                    region = region.with_sign(int(first), 1)
            yield region

    def product(self, region: Region) -> float:
        """Return the norm product of a region."""
        return norm_product(self._restricted(region).network, self.ends)

    def proved(self, pattern: Pattern) -> float:
        """Return what a pattern proves: a lower bound of the constant."""
        return pattern.proved(self._piece(pattern.piece), self.ends)

    def _restricted(self, region: Region) -> Restriction:
        return restricted(self._piece(region.piece), region)

    @np.errstate(over="ignore", invalid="ignore")
    def thorough(self, region: Region, seconds: float) -> float:
        """Return a bound of a region from whatever solver is best, or infinity."""
        problem = self._problem(self._restricted(region))
        judge = Incumbent(problem, accuracy=1e-6)
        settings = Settings(
            accuracy=1e-6, time_limit=max(seconds, 0.0), seed=self._seed
        )
        # What fails has no better bound than was known.
        with contextlib.suppress(GeolipError, np.linalg.LinAlgError):
            solution = backend.get("auto").solve(problem, settings, judge)
            judge.consider(solution.multipliers, solution.value)
        return judge.settle()

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def bound(
        self, region: Region, known: float, start: Vectors | None, enough: float
    ) -> Bounded:
        """Bound a region and say how to split it.

        Parameters
        ----------
        region : Region
            Of one of the pieces.
        known : float
            A bound of it.
        start : Vectors or None
            Of a larger region.
        enough : float
            Regions with bounds below need not be split.
        """
        restriction = self._restricted(region)
        problem = self._problem(restriction)
        if problem.is_trivial:
            return Bounded(0.0)
        single = restriction.network.output.size == 1
        if single and patterns(restriction.network) <= self._largest:
            return self._enumerated(restriction, region, known)
        compact = Compact(problem)
        X, directions = self._started(restriction, start)
        if start is None:
            point = compact.ascend(X, directions, most=COLD)
        else:
            point = compact.ascend(X, directions, enough)
        if not 0 < point.value < np.inf:
            return Bounded(known)
        found = repaired(compact, point.multipliers)
        if found is not None:
            proof = proved(problem, found[1])
            if proof is not None:
                known = min(known, proof[0])
        value, pattern = rounded(compact, self.ends, point, restriction, region)
        return Bounded(
            known,
            children=self._split(region, restriction, point),
            vectors=self._finished(restriction, point, start),
            pattern=pattern,
            value=value,
            relaxed=point.value,
        )

    def _enumerated(
        self, restriction: Restriction, region: Region, known: float
    ) -> Bounded:
        found = enumerated(restriction.network, self.ends.input)
        x = self.ends.input.aligned(found.gradient[:, None])[:, 0]
        pattern = restriction.pattern(region, x, found.up)
        return Bounded(
            min(known, found.bound),
            pattern=pattern,
            value=found.value,
            relaxed=found.value,
        )

    def _problem(self, restriction: Restriction) -> Problem:
        return self._relaxation.problem(restriction.network, self.ends)

    def _started(
        self, restriction: Restriction, start: Vectors | None
    ) -> tuple[Array, list[Array]]:
        if start is None:
            start = self._random()
        X = start.inputs[restriction.inputs].astype(float)
        return X, [start.directions[n].astype(float) for n in restriction.neurons]

    def _random(self) -> Vectors:
        random = np.random.default_rng(self._seed)
        size, *hidden = self.sizes
        directions = random.standard_normal((sum(hidden), self.rank))
        return Vectors(
            random.standard_normal((size, self.rank)).astype(np.float32),
            (directions / row_norms(directions)).astype(np.float32),
        )

    def _finished(
        self, restriction: Restriction, point: Point, start: Vectors | None
    ) -> Vectors:
        """Return the point's vectors; what the region fixes keeps those it had."""
        before = self._random() if start is None else start
        inputs, directions = before.inputs.copy(), before.directions.copy()
        inputs[restriction.inputs] = point.vectors[: len(restriction.inputs)]
        for neurons, xi in zip(restriction.neurons, point.directions, strict=True):
            directions[neurons] = xi
        return Vectors(inputs, directions)

    def _split(
        self, region: Region, restriction: Restriction, point: Point
    ) -> tuple[Region, ...]:
        """Fix what the point is least decided about.

        That is, where the two choices together lose most, to first order. A product
        is small where one of them loses nothing.
        """
        best = -1.0
        children: tuple[Region, ...] = ()
        for neurons, losses in zip(restriction.neurons, point.losses, strict=True):
            if neurons.size:
                free = region.slopes[neurons] == 0
                score = np.where(free, losses.prod(axis=1), -np.inf)
                i = int(np.argmax(score))
                if score[i] > best:
                    n = int(neurons[i])
                    best = float(score[i])
                    children = (region.with_slope(n, -1), region.with_slope(n, 1))
        inputs = restriction.inputs
        if len(inputs) > 1 and region.signs.any():
            X, tau = point.vectors[: len(inputs)], point.multipliers.tau
            score = tau[1:] ** 2 * (1.0 - (X[1:] @ X[0]) ** 2)
            i = int(np.argmax(score))
            if score[i] > best:
                j = int(inputs[1 + i])
                children = (region.with_sign(j, -1), region.with_sign(j, 1))
        return children
