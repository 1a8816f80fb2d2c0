"""Certified Lipschitz constants of neural networks.

import geolip
report = geolip.certify("model.onnx", norm="inf")
report.bound, report.lower_bound
"""

from typing import TYPE_CHECKING, Any

from geolip import errors as errors

if TYPE_CHECKING:
    from geolip.certification import certify as certify
    from geolip.report import Report as Report

__all__ = ["Report", "certify", "errors"]


def __getattr__(name: str) -> Any:
    # Resolved on first use, so that `geolip --help` need not wait for onnx and scipy.
    if name == "certify":
        from geolip.certification import certify

        return certify
    if name == "Report":
        from geolip.report import Report

        return Report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
