"""The statement about float32: its text, its numbers, what it assumes."""

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from onnx import ModelProto

from geolip.decimals import round_up
from geolip.errors import CertificationError, UsageError
from geolip.execution.arithmetic import LARGEST
from geolip.execution.graph import output_of
from geolip.execution.rules.activation import LIBRARY_ERROR
from geolip.importer import Model, read
from geolip.rigor.rounding import check_processor

FORMAT = "IEEE-754 binary32"

_ASSUMPTIONS = (
    "every operation in binary32 or wider, rounded to nearest (no TF32, no half "
    "precision); operands and results below 2^-126 in size may be taken for zero",
    "sums in any order, with or without fused multiply-add, in inference mode; no fast "
    "convolution or matrix product that adds weights or inputs first (Winograd, FFT, "
    "Strassen)",
    "nodes as stored; constants that are added or multiplied afterwards may be folded "
    "into the weights of the layer before, nothing else is rewritten; factors before a "
    "matrix product are applied before it (ONNX Runtime: without MatMulScaleFusion)",
)
_FUNCTIONS = {"Sigmoid", "Tanh"}
_LIBRARY = (
    "the runtime's Sigmoid and Tanh are within "
    f"2^{math.log2(LIBRARY_ERROR):.0f} of the real function"
)


@dataclass(frozen=True)
class FloatExecution:
    """How far an execution in float32 may be from the real function of the model.

    Parameters
    ----------
    sha256 : str
        Of the model.
    low, high : float
        Between which every coordinate of the input lies.
    errors : tuple of float
        One an output coordinate: no execution differs by more in this coordinate.
    assumptions : tuple of str
        What is taken to be true of the execution.
    """

    sha256: str
    low: float
    high: float
    errors: tuple[float, ...]
    assumptions: tuple[str, ...]

    @property
    def error(self) -> float:
        """The largest error of all outputs, 0 if there are none."""
        return max(self.errors, default=0.0)

    @property
    def claim(self) -> str:
        """What is proved."""
        return (
            f"Let F be the real function of the ONNX graph {self.sha256} and G any "
            f"execution of its nodes in {FORMAT} under the assumptions. Then |G_i(x) - "
            "F_i(x)| <= errors[i] for all x whose coordinates are binary32 numbers in "
            f"{self.region}, so that |G_i(x) - G_i(y)| <= L_i ||x - y|| + 2 errors[i] "
            "for all such x and y, with L_i any bound of output i's Lipschitz constant."
        )

    @property
    def region(self) -> str:
        """The interval of every input coordinate."""
        return f"[{self.low!r}, {self.high!r}]"

    def as_dict(self) -> dict[str, Any]:
        """Return the statement as plain data."""
        return {
            "format": FORMAT,
            "region": [self.low, self.high],
            "error": self.error,
            "errors": list(self.errors),
            "assumptions": list(self.assumptions),
            "claim": self.claim,
        }

    def lines(self) -> list[str]:
        """Return the statement for people, decimals rounded up."""
        errors = ", ".join(round_up(error, 3) for error in self.errors[:10])
        more = ", ..." if len(self.errors) > 10 else ""
        return [
            f"Execution in float32, every input coordinate in {self.region}:",
            f"  off from the real function by at most {round_up(self.error)}",
            f"  by output: {errors}{more}",
            *(f"  assumed: {assumption}" for assumption in self.assumptions),
        ]


def forward_error(
    model: Model,
    region: Sequence[float],
    input_name: str | None = None,
    output_name: str | None = None,
) -> FloatExecution:
    """Bound how far executing a model in float32 is from its real function.

    Parameters
    ----------
    model : path, bytes or ModelProto
        The model; all its real tensors must be float32.
    region : pair of float
        Between which every coordinate of the input lies, ends included; the input
        itself is float32 numbers.
    input_name, output_name : str, optional
        As for `geolip.importer.load`.

    Returns
    -------
    FloatExecution
        A bound for every output coordinate.

    Raises
    ------
    UsageError
        If the region is not a pair of float32-sized numbers in order, or the model is
        no ONNX model.
    ModelError
        If the model cannot be read, or (`UnboundedExecutionError`) has nodes whose
        rounding is not known.
    CertificationError
        If numbers may leave float32's range, or float64's.
    """
    low, high = checked_region(region)
    check_processor()
    parsed, sha256 = read(model)
    if not isinstance(parsed, ModelProto):
        raise UsageError("a float32 execution is of an ONNX graph: give an ONNX model")
    # Products below float64's range are covered by the underflow of float32; readers
    # refuse factors that are not finite.
    with np.errstate(under="ignore", divide="ignore"):
        output, kinds = output_of(parsed, low, high, input_name, output_name)
        errors = output.error
    if not np.isfinite(errors).all():
        raise CertificationError(
            "numbers leave float64's range: give --float-exec a smaller region"
        )
    return FloatExecution(
        sha256=sha256,
        low=low,
        high=high,
        errors=tuple(errors.tolist()),
        assumptions=(*_ASSUMPTIONS, *([_LIBRARY] if kinds & _FUNCTIONS else [])),
    )


def checked_region(region: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a region.

    Raises
    ------
    UsageError
        If it is not a pair of numbers in order, each of a size that float32 holds.
    """
    ends = tuple(region) if isinstance(region, Iterable) else ()
    found = "larger ones"
    with suppress(OverflowError):  # of integers that float64 does not hold
        if len(ends) == 2 and all(isinstance(end, Real) for end in ends):
            low, high = map(float, ends)
            if -LARGEST <= low <= high <= LARGEST:
                return low, high
        found = repr(region)
    raise UsageError(
        "a float execution's region is a pair LOW <= HIGH of numbers in float32's "
        f"range, found {found}"
    )
