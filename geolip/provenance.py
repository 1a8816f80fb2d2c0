"""Where a result came from: versions of the libraries, threads of the machine."""

import os
import platform
from importlib import metadata

_PACKAGES = ("geolip", "numpy", "scipy", "onnx")


def versions() -> dict[str, str]:
    """Return the versions of Python, geolip and the libraries that bounds rest on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def threads() -> int:
    """Return how many threads the linear algebra may use, as far as can be told."""
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if (setting := os.environ.get(variable, "")).isdigit():
            return int(setting)
    return (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else (os.cpu_count() or 1)
    )
