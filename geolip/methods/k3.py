"""K_3: the norm of the product of the layers' absolute values.

Source: `geolip.bounds.entrywise`; a reconstruction, unconfirmed, of a bound of Pintore
and Despres (arXiv 2410.21053).
"""

import math
import time

import numpy as np

from geolip.arrays import Array
from geolip.bounds.entrywise import absolute_product, absolute_rows, columns
from geolip.bounds.matrix_norm import matrix_norm
from geolip.bounds.stages import Stages, least, ways
from geolip.methods import Answer, Label, Question
from geolip.norms import Norm

TITLE = "Pintore-Despres K3 (reconstruction)"

# Columns at a time.
_WIDTH = 512


def refusal(question: Question) -> str | None:
    """Return None: absolute values can be multiplied along every network."""
    del question
    return None


def answer(question: Question) -> Answer:
    """Return K_3, with explicit or implicit maxima, whichever is smaller."""
    norms, notes = question.norms, []
    bounds: dict[str, float] = {}
    deadline = question.deadline()
    for way, stages in ways(question.network.sectors()).items():
        matrix = _matrix(stages, norms.input, math.inf if not bounds else deadline)
        if matrix is None:
            notes.append(f"{way}: out of time")
        else:
            bounds[way] = matrix_norm(matrix, norms)
    value, note = least(bounds)
    return Answer(value, Label.CERTIFIED, "; ".join(filter(None, [note, *notes])))


def _matrix(stages: Stages, norm: Norm, deadline: float) -> Array | None:
    """Return a matrix whose norm is the bound, from whichever end is the smaller."""
    inputs = columns(norm, stages.input_size)
    if stages.output.size < inputs.shape[1] and stages.explicit:
        return absolute_rows(stages)
    parts = []
    for start in range(0, max(1, inputs.shape[1]), _WIDTH):
        if time.monotonic() > deadline:
            return None
        parts.append(absolute_product(stages, inputs[:, start : start + _WIDTH]))
    return np.concatenate(parts, axis=1)
