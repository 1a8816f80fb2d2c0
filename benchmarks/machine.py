"""What the benchmark ran on, and how fast that is: one JSON object on stdout."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from geolip import provenance

_SIZE = 2048
_REPEATS = 7
_SOLVER_LIBRARIES = ("cvxpy", "scs", "clarabel", "mosek")


def describe() -> dict[str, Any]:
    """Return everything that a time depends on, and the unit of time of this machine.

    Returns
    -------
    dict
        ``unit_seconds`` is the median time of one product of two float64 matrices of
        order 2048, with the threads that the cases have too.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": provenance.threads(),
        "memory_mb": round(_memory() / 2**20),
        "platform": platform.platform(),
        "blas": _blas(),
        "versions": {**provenance.versions(), **_solver_versions()},
        "commit": _commit(),
        "unit_seconds": unit_seconds(),
    }


def unit_seconds() -> float:
    """Return the median seconds of one 2048 x 2048 x 2048 matrix product."""
    random = np.random.default_rng(0)
    left, right = random.standard_normal((2, _SIZE, _SIZE))
    seconds = []
    for _ in range(_REPEATS + 1):
        start = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - start)
    # The first one also starts the threads.
    return statistics.median(seconds[1:])


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _blas() -> str:
    built: dict[str, Any] = dict(np.show_config(mode="dicts") or {})
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _solver_versions() -> dict[str, str]:
    found = {}
    for package in _SOLVER_LIBRARIES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True
        )
    except OSError:
        return None
    return answer.stdout.strip() or None


if __name__ == "__main__":
    json.dump(describe(), sys.stdout)
