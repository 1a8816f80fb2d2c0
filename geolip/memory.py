"""How much memory there is, asked before large arrays are made."""

import mmap
import os
from pathlib import Path

import numpy as np

# Share of the available memory that one computation may plan to use.
_SHARE = 0.6

# Bytes that the libraries still to be loaded and the smallest network take.
_ROOM = 128 * 2**20
# Rows of matrices that are not too small for a library's usual way.
_USUAL = 128


def prepare() -> None:
    """Make sure of a little memory, and let linear algebra take what it works in.

    Where OpenBLAS can have no memory later, it ends the process or waits for ever.

    Raises
    ------
    MemoryError
        If there is too little even for a small network.
    """
    try:
        mmap.mmap(-1, max(_ROOM, 1)).close()
    except OSError as error:
        raise MemoryError from error
    from scipy import linalg

    one = np.eye(_USUAL)
    # NumPy and SciPy each bring a library of their own.
    np.linalg.eigvalsh(one @ one.T)
    linalg.cholesky(one)


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
