"""Seconds by stage."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

STAGES = ("read", "build", "solve", "verify", "lower_bound")


class StageClock:
    """Counts wall-clock seconds for each stage; the inner of two nested ones counts."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._start = self._mark = time.monotonic()
        self._running: list[str] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside the block for this stage."""
        self._turn()
        self._running.append(name)
        try:
            yield
        finally:
            self._turn()
            self._running.pop()

    def _turn(self) -> None:
        now = time.monotonic()
        if self._running:
            self.seconds[self._running[-1]] += now - self._mark
        self._mark = now

    def elapsed(self) -> float:
        """Return the seconds since the clock was made."""
        return time.monotonic() - self._start

    def finished(self) -> dict[str, float]:
        """Return the seconds of every stage and the total."""
        return {**self.seconds, "total": self.elapsed()}
