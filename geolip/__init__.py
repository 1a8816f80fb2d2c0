"""Certified Lipschitz constants of neural networks.

import geolip
report = geolip.certify("model.onnx", norm="inf")
report.bound, report.lower_bound
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from geolip import errors as errors

# NumPy and SciPy each bring an OpenBLAS with threads of its own. An idle thread spins
# before it sleeps, and where the two work in turns, the spinning of one takes the cores
# from the other: measured, up to 50 times slower. Libraries read this as they load.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "18")

if TYPE_CHECKING:
    from geolip.certification import certify as certify
    from geolip.comparing import compare as compare
    from geolip.comparison import Comparison as Comparison
    from geolip.formal import FormalReport as FormalReport
    from geolip.formal import exact_fgl as exact_fgl
    from geolip.importer import Limits as Limits
    from geolip.importer import export as export
    from geolip.report import Report as Report

__all__ = [
    "Comparison",
    "FormalReport",
    "Limits",
    "Report",
    "certify",
    "compare",
    "errors",
    "exact_fgl",
    "export",
]


# Resolved on first use, so that `geolip --help` need not wait for onnx and scipy.
_HOMES = {
    "Comparison": "comparison",
    "FormalReport": "formal",
    "Limits": "importer",
    "Report": "report",
    "certify": "certification",
    "compare": "comparing",
    "exact_fgl": "formal",
    "export": "importer",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"geolip.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
