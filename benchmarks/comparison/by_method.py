"""A case that one of geolip's methods answers, see `alone`."""

import time
from typing import Any

import numpy as np
import onnx

from geolip import importer, methods, norms
from geolip.backend import Settings
from geolip.methods import Question


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """Return the method's number, what it is, and how long that took."""
    method, pair = methods.get(task["method"]), norms.parse(task["norm"])
    settings = Settings(time_limit=task["time_limit"])
    network = importer.load(onnx.load(task["model"])).without_head(pair.output)
    # All imports are done by a first call, so that none is timed.
    tiny = importer.load([np.array([[1.0, 2.0], [-2.0, 1.0]]), np.array([[1.0, -1.0]])])
    first = Question(tiny, pair, settings)
    if method.refusal(first) is None:
        method.answer(first)
    start = time.perf_counter()
    found = method.answer(Question(network, pair, settings))
    return {
        "value": found.value,
        "label": found.label.value,
        "note": found.note,
        "seconds": time.perf_counter() - start,
    }
