"""A case that ``geolip certify`` answers, as it comes, see `alone`."""

from typing import Any

import numpy as np
import onnx

import geolip
from geolip.certificate import ESTIMATE
from geolip.methods import Label


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """Return the verified bound, the lower bounds beside it, and the seconds."""
    tiny = [np.array([[1.0, 2.0], [-2.0, 1.0]]), np.array([[1.0, -1.0]])]
    geolip.certify(tiny, task["norm"])
    report = geolip.certify(
        onnx.load(task["model"]), task["norm"], time_limit=task["time_limit"]
    )
    label = Label.ESTIMATE if report.trust == ESTIMATE else Label.CERTIFIED
    return {
        "value": report.bound,
        "label": label.value,
        "note": "",
        "seconds": report.seconds["total"],
        "lower": report.lower_bound,
        "fgl_lower": report.fgl_lower_bound,
    }
