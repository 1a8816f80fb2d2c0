"""Best-first branch and bound, that may be stopped at any time.

At every moment the open regions, those that are done with and the best pattern bound
the FGL from above and below: a region is taken from the open ones only after both its
parts are among them, whatever interrupts.

Source: docs/solvers.md section 7.
"""

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from geolip.bounds.pattern import largest_pattern
from geolip.branching.bound import Bounded, Bounder, Vectors
from geolip.branching.pattern import Pattern
from geolip.branching.region import Region
from geolip.norms import NormPair
from geolip.sectors import SectorNetwork

# Starts are kept for open regions up to so many bytes in all.
_MEMORY = 2**28
_SECONDS_BETWEEN_NOTES = 10.0


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

    Attributes
    ----------
    lower : float
        The largest proved pattern.
    pattern : Pattern or None
        That pattern.
    open : list of Open
        A heap, the region with the largest bound first.
    closed : float
        The largest bound of the regions that are done with.
    nodes : int
        How many regions have been bounded.
    """

    def __init__(
        self,
        network: SectorNetwork,
        norms: NormPair,
        accuracy: float = 1e-6,
        seed: int = 0,
    ) -> None:
        self.network, self.norms, self.accuracy = network, norms, accuracy
        self.lower, self.closed, self.nodes = 0.0, 0.0, 0
        self.pattern: Pattern | None = None
        self.open: list[Open] = []
        self._bounder = Bounder(network, norms, seed)
        self._seed, self._number = seed, 0
        self._root: Vectors | None = None
        vectors = 4 * self._bounder.rank * sum(network.sizes)
        self._most_vectors = _MEMORY // max(vectors, 1)

    def begin(self) -> None:
        """Open the regions that all patterns consist of, with their bounds."""
        found = [
            Open((-self._bounder.first(region), number), region)
            for number, region in enumerate(self._bounder.whole())
        ]
        heapq.heapify(found)
        self.open, self._number = found, len(found)

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
        noted = time.monotonic()
        while self.open and time.monotonic() < deadline:
            self.step()
            if time.monotonic() > noted + _SECONDS_BETWEEN_NOTES:
                note()
                noted = time.monotonic()

    def step(self) -> None:
        """Close or split the open region with the largest bound."""
        top = self.open[0]
        if top.bound > self._enough:
            bounded = top.bounded
            if bounded is None:
                bounded = self._bounded(top.region, top.bound, self._root)
                if self._root is None:
                    self._root = bounded.vectors
            if bounded.bound > self._enough and bounded.children:
                # Bounded first and then opened, while their parent still is: its number
                # is smaller, so it stays the first whatever their bounds.
                parts = [
                    (part, self._bounded(part, bounded.bound, bounded.vectors))
                    for part in bounded.children
                ]
                for part, known in parts:
                    self._push(part, known)
            else:
                self.closed = max(self.closed, bounded.bound)
        else:
            self.closed = max(self.closed, top.bound)
        heapq.heappop(self.open)

    @property
    def _enough(self) -> float:
        """The bound at which a region need not be split."""
        return self.lower * (1.0 + self.accuracy)

    def _bounded(
        self, region: Region, known: float, start: Vectors | None
    ) -> Bounded:
        found = self._bounder.bound(region, known, start, self._enough)
        self.nodes += 1
        if found.pattern is not None and found.value > self.lower * (1.0 + 1e-14):
            self.offer(found.pattern)
        return found

    def offer(self, pattern: Pattern) -> None:
        """Take a pattern if it is proved to be larger than the best."""
        value = pattern.proved(self.network, self.norms)
        if value > self.lower:
            self.lower, self.pattern = value, pattern

    def _push(self, region: Region, found: Bounded) -> None:
        if found.bound <= self._enough:
            self.closed = max(self.closed, found.bound)
            return
        self._number += 1
        kept = found if len(self.open) < self._most_vectors else None
        heapq.heappush(self.open, Open((-found.bound, self._number), region, kept))
