"""How much memory there is, asked before large arrays are made."""

import os

# Share of the free memory that one computation may plan to use.
_SHARE = 0.6


def fits(numbers: float) -> bool:
    """Return whether so many float64 numbers may be held, True if nobody knows."""
    try:
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return True
    return 8.0 * numbers <= _SHARE * free
