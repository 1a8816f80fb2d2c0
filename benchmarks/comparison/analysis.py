"""What the results say: ratios, medians, exponents, values below the truth."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from comparison.records import Record
from comparison.tools import Kind
from geolip.methods import Label

_LOWER = (Label.LOWER.value, Label.FGL_LOWER.value)
_PROVED = (Label.CERTIFIED.value, Label.EXACT.value)


@dataclass(frozen=True)
class Truth:
    """What is proved of one network in one norm.

    Parameters
    ----------
    lower : float
        The constant is at least this; 0 where nothing is known.
    fgl_lower : float
        The formal constant (FGL), with free slopes, is at least this.
    bound : float or None
        What ``geolip certify`` proved, or else the least of what was proved.
    """

    lower: float
    fgl_lower: float
    bound: float | None


def truth(cases: Iterable[Record]) -> Truth:
    """Return what the cases of one network and norm prove together."""
    lower, fgl_lower = [0.0], [0.0]
    bounds: list[float] = []
    certified: list[float] = []
    for case in cases:
        if "value" not in case:
            continue
        lower.append(case.get("lower", 0.0))
        fgl_lower.append(case.get("fgl_lower", 0.0))
        if case["label"] == Label.LOWER.value:
            lower.append(case["value"])
        if case["label"] in (Label.FGL_LOWER.value, Label.EXACT.value):
            fgl_lower.append(case["value"])
        if case["label"] in _PROVED:
            mine = case["kind"] == Kind.CERTIFY.value
            (certified if mine else bounds).append(case["value"])
    best = min(certified or bounds, default=None)
    return Truth(max(lower), max(*lower, *fgl_lower), best)


def with_ratios(cases: Sequence[Record], units: Mapping[int, float]) -> list[Record]:
    """Return the cases with what can be told of them only together.

    Parameters
    ----------
    cases : sequence of mapping
        All of them.
    units : mapping of int to float
        Seconds of one unit by run.
    """
    truths = {place: truth(found) for place, found in by(cases, place_of).items()}
    made = []
    for case in cases:
        if "value" not in case:
            made.append(case)
            continue
        known, value = truths[place_of(case)], case["value"]
        made.append(
            {
                **case,
                "units": case["seconds"] / units[case["run"]],
                "over_lower": value / known.lower if known.lower else None,
                "over_bound": value / known.bound if known.bound else None,
                "below_truth": is_claim(case) and value < known.lower,
                "below_fgl": is_claim(case) and value < known.fgl_lower,
                "over_fgl": value / known.fgl_lower if known.fgl_lower else None,
            }
        )
    return made


def is_claim(case: Record) -> bool:
    """Return whether a case's value is meant to be an upper bound."""
    return "value" in case and case["label"] not in _LOWER


def is_proved(case: Record) -> bool:
    """Return whether a case's value is a proved upper bound."""
    return "value" in case and case["label"] in _PROVED


def place_of(case: Record) -> tuple[str, str, str]:
    """Return which network and norm a case is about."""
    return case["family"], case["network"], case["norm"]


def by(
    cases: Iterable[Record], name: str | Callable[[Record], Any]
) -> dict[Any, list[Record]]:
    """Return the cases in groups, in order of appearance."""
    groups: dict[Any, list[Record]] = defaultdict(list)
    for case in cases:
        groups[name(case) if callable(name) else case[name]].append(case)
    return dict(groups)


def numbers(cases: Iterable[Record], name: str) -> list[float]:
    """Return a number of all cases that have it."""
    found = (case.get(name) for case in cases)
    return [x for x in found if x is not None and math.isfinite(x)]


def median(values: Sequence[float]) -> float | None:
    """Return the median, or None of nothing."""
    return statistics.median(values) if values else None


@dataclass(frozen=True)
class Fit:
    """The power law ``seconds ~ size ** exponent`` through points.

    Parameters
    ----------
    points : int
        How many there were.
    exponent : float
        The slope of the straight line through their logarithms, by least squares.
    residual : float
        The root mean square of what the line leaves, as a factor: 1.1 is 10 %.
    """

    points: int
    exponent: float
    residual: float


def fit(cases: Iterable[Record]) -> Fit | None:
    """Return how seconds grow with size, or None with less than three sizes."""
    points = [(c["size"], c["seconds"]) for c in cases if c.get("seconds", 0) > 0]
    if len({size for size, _ in points}) < 3:
        return None
    x, y = np.log(np.array(points)).T
    (slope, shift), left = np.polyfit(x, y, 1), 0.0
    left = float(np.sqrt(np.mean((y - slope * x - shift) ** 2)))
    return Fit(len(points), float(slope), math.exp(left))
