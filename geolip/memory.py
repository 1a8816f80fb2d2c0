"""How much memory there is, asked before large arrays are made."""

import os
from pathlib import Path

# Share of the available memory that one computation may plan to use.
_SHARE = 0.6


def fits(numbers: float) -> bool:
    """Return whether so many float64 numbers may be held, True if nobody knows."""
    available = _available()
    return available is None or 8.0 * numbers <= _SHARE * available


def _available() -> float | None:
    """Return the bytes that could be had now."""
    try:
        # Counts reclaimable caches as available, which free pages do not.
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * float(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    try:
        return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
