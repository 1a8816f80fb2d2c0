"""Certified Lipschitz constants of neural networks.

import geolip
report = geolip.certify("model.onnx", norm="inf")
report.bound, report.lower_bound
"""

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


def __getattr__(name: str) -> Any:
    # Resolved on first use, so that `geolip --help` need not wait for onnx and scipy.
    if name == "certify":
        from geolip.certification import certify

        return certify
    if name == "compare":
        from geolip.comparing import compare

        return compare
    if name == "Comparison":
        from geolip.comparison import Comparison

        return Comparison
    if name in ("FormalReport", "exact_fgl"):
        from geolip import formal

        return getattr(formal, name)
    if name in ("Limits", "export"):
        from geolip import importer

        return getattr(importer, name)
    if name == "Report":
        from geolip.report import Report

        return Report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
