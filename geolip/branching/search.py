"""Best-first branch and bound, that may be stopped at any time.

At every moment the open regions, those that are done with and the best pattern bound
the FGL from above and below: a region is taken from the open ones only after both its
parts are among them, whatever interrupts.

Source: docs/solvers.md section 9.
"""

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from geolip.branching.bound import ENUMERATED, Bounded, Bounder, Vectors
from geolip.branching.region import Pattern, Region
from geolip.errors import CertificationError
from geolip.norms import NormPair
from geolip.sectors import SectorNetwork

# Starts are kept for open regions up to so many bytes in all.
_MEMORY = 2**28
_SECONDS_BETWEEN_NOTES = 10.0
# Where a first bound is so many times the relaxation's value, the best solver is asked,
# for so many seconds.
_POOR, _THOROUGH = 1.05, 60.0


@dataclass(order=True)
class Open:
    """A region that may hold a larger pattern; the largest bound is the least of all.

    Parameters
    ----------
    key : (float, int)
        Minus the bound, and a number that makes ties orderly.
    bounded : Bounded or None
        What is known of it; None if only its bound is, as of one read from a file.
    """

    key: tuple[float, int]
    region: Region = field(compare=False)
    bounded: Bounded | None = field(compare=False, default=None)

    @property
    def bound(self) -> float:
        """The proved bound of the region."""
        return -self.key[0]


class Search:
    """The tree of one network.

    Parameters
    ----------
    network : SectorNetwork
        Reduced, with all outputs.
    norms : NormPair
        In which to measure.
    accuracy : float
        The relative gap at which a region is done with.
    seed : int
        Of everything random.
    largest : float
        As of `geolip.branching.bound.Bounder`.

    Attributes
    ----------
    lower : float
        The largest proved pattern.
    pattern : Pattern or None
        That pattern; None where no output depends on the input.
    open : list of Open
        A heap, the region with the largest bound first.
    closed : float
        The largest bound of the regions that are done with.
    first : float
        The bound before anything was split.
    nodes : int
        How many regions have been bounded.
    seconds : float
        That the search took, in all its runs.
    count : int
        How many pieces the constant consists of (`geolip.pieces`).
    sizes : tuple of int
        Of a piece's inputs and layers.
    """

    def __init__(
        self,
        network: SectorNetwork,
        norms: NormPair,
        accuracy: float = 1e-6,
        seed: int = 0,
        largest: float = ENUMERATED,
    ) -> None:
        self.network, self.norms, self.accuracy = network, norms, accuracy
        self.lower, self.closed, self.first = 0.0, 0.0, math.inf
        self.nodes, self.seconds = 0, 0.0
        self.pattern: Pattern | None = None
        self.open: list[Open] = []
        self._bounder = Bounder(network, norms, seed, largest)
        self._seed, self._number = seed, 0
        self._root: Vectors | None = None
        self.count, self.sizes = self._bounder.count, self._bounder.sizes
        vectors = 4 * self._bounder.rank * sum(self.sizes)
        self._most_vectors = _MEMORY // max(vectors, 1)

    def begin(self, deadline: float = math.inf) -> None:
        """Open the regions that all patterns consist of.

        Parameters
        ----------
        deadline : float
            When, by `time.monotonic`, only the norm product is left as a bound.
        """
        start = time.monotonic()
        found = []
        for number, region in enumerate(self._bounder.whole()):
            known = self._bounder.product(region)
            bounded = None
            if time.monotonic() < deadline:
                bounded = self._bounded(region, known, None)
                known = bounded.bound
                # Deep networks need more than the short iteration.
                if known > max(_POOR * bounded.relaxed, self._enough):
                    left = min(deadline - time.monotonic(), _THOROUGH)
                    known = min(known, self._bounder.thorough(region, left))
            found.append(Open((-known, number), region, bounded))
        if any(not node.bound < math.inf for node in found):
            raise CertificationError(
                "the network has no finite bound to start from: its numbers leave "
                "float64's range; rescale the weights"
            )
        first = max((node.bound for node in found), default=0.0)
        self.resume(found, first=first, seconds=time.monotonic() - start)

    def resume(
        self,
        regions: list[Open],
        *,
        first: float,
        closed: float = 0.0,
        nodes: int = 0,
        seconds: float = 0.0,
    ) -> None:
        """Go on from open regions, numbered in any order, and what is known besides."""
        heapq.heapify(regions)
        self.open, self._number = regions, len(regions)
        self.first, self.closed, self.seconds = first, closed, seconds
        self.nodes += nodes

    @property
    def upper(self) -> float:
        """What the FGL is proved not to exceed."""
        top = self.open[0].bound if self.open else 0.0
        return max(self.lower, self.closed, top)

    @property
    def gap(self) -> float:
        """The relative gap between the two bounds, 0 for a constant network."""
        if self.upper == 0.0:
            return 0.0
        return self.upper / self.lower - 1 if self.lower else math.inf

    @property
    def is_done(self) -> bool:
        """Whether the bounds are as near to each other as was asked for."""
        return self.upper <= self._enough

    def run(
        self, deadline: float = math.inf, note: Callable[[], None] = lambda: None
    ) -> None:
        """Split regions until none is left that may hold a larger pattern.

        Parameters
        ----------
        deadline : float
            When, by `time.monotonic`, no other region is begun.
        note : callable
            Called every ten seconds.
        """
        now = noted = time.monotonic()
        while self.open and now < deadline:
            self.step()
            last, now = now, time.monotonic()
            self.seconds += now - last
            if now > noted + _SECONDS_BETWEEN_NOTES:
                note()
                noted = now

    def step(self) -> None:
        """Close or split the open region with the largest bound."""
        top = self.open[0]
        bounded = top.bounded
        if bounded is None and top.bound > self._enough:
            bounded = self._bounded(top.region, top.bound, self._root)
            if self._root is None:
                self._root = bounded.vectors
        # The region's own bound may have come from elsewhere and be the better one.
        bound = top.bound if bounded is None else min(top.bound, bounded.bound)
        if bounded is None or bound <= self._enough or not bounded.children:
            self.closed = max(self.closed, bound)
        else:
            # Bounded first and then opened, while their parent still is. None has a
            # larger bound, nor a smaller number, so the parent stays the first.
            parts = [
                (part, self._bounded(part, bound, bounded.vectors))
                for part in bounded.children
            ]
            for part, known in parts:
                self._push(part, known)
        heapq.heappop(self.open)

    @property
    def _enough(self) -> float:
        """The bound at which a region need not be split."""
        return self.lower * (1.0 + self.accuracy)

    def _bounded(self, region: Region, known: float, start: Vectors | None) -> Bounded:
        found = self._bounder.bound(region, known, start, self._enough)
        self.nodes += 1
        if found.pattern is not None and found.value > self.lower * (1.0 + 1e-14):
            self.offer(found.pattern)
        return found

    def offer(self, pattern: Pattern) -> None:
        """Take a pattern if it is proved to be larger than the best."""
        value = self._bounder.proved(pattern)
        if value > self.lower:
            self.lower, self.pattern = value, pattern

    def _push(self, region: Region, found: Bounded) -> None:
        if found.bound <= self._enough:
            self.closed = max(self.closed, found.bound)
            return
        self._number += 1
        kept = found if len(self.open) < self._most_vectors else None
        heapq.heappush(self.open, Open((-found.bound, self._number), region, kept))
