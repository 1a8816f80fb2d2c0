"""How much memory there is, asked before large arrays are made."""

import contextlib
import ctypes
import mmap
import os
from pathlib import Path

import numpy as np

# Share of the available memory that one computation may plan to use.
_SHARE = 0.6

# Bytes that the libraries still to be loaded and the smallest network take.
_ROOM = 128 * 2**20
# glibc's names for what its allocator is told, and what it is told here.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KEPT = {_MMAP_THRESHOLD: 2**25, _TRIM_THRESHOLD: 2**28, _TOP_PAD: 2**22}
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
    keep_freed()
    from scipy import linalg

    one = np.eye(_USUAL)
    # NumPy and SciPy each bring a library of their own.
    np.linalg.eigvalsh(one @ one.T)
    linalg.cholesky(one)


def keep_freed() -> None:
    """Let the process keep up to 256 MiB of freed memory, where the C library can.

    Memory that goes back to the system comes from it cleared, page by page: measured,
    half the time of exact arithmetic, whose arrays are short-lived and some MB large.
    """
    # Other C libraries do not have it.
    with contextlib.suppress(OSError, AttributeError, TypeError):
        tell = ctypes.CDLL(None).mallopt
        for name, size in _KEPT.items():
            tell(name, size)


def fits(numbers: float) -> bool:
    """Return whether so many float64 numbers may be held, True if nobody knows."""
    room = to_plan_with()
    return room is None or 8.0 * numbers <= room


def to_plan_with() -> float | None:
    """Return the bytes that one computation may take, None if nobody knows."""
    available = _available()
    return None if available is None else _SHARE * available


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
