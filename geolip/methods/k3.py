"""K_3: the norm of the product of the layers' absolute values.

Source: `geolip.bounds.entrywise`; a reconstruction, unconfirmed, of a bound of Pintore
and Despres (arXiv 2410.21053).
"""

import numpy as np

from geolip.bounds.entrywise import absolute_product, columns
from geolip.bounds.matrix_norm import matrix_norm
from geolip.bounds.stages import least, ways
from geolip.methods import Answer, Label, Question

TITLE = "Pintore-Despres K3 (reconstruction)"

# Columns at a time.
_WIDTH = 512


def refusal(question: Question) -> str | None:
    """Return None: absolute values can be multiplied along every network."""
    del question
    return None


def answer(question: Question) -> Answer:
    """Return K_3, with explicit or implicit maxima, whichever is smaller."""
    norms = question.norms
    bounds = {}
    for way, stages in ways(question.network.sectors()).items():
        inputs = columns(norms.input, stages.input_size)
        parts = [
            absolute_product(stages, inputs[:, start : start + _WIDTH])
            for start in range(0, inputs.shape[1], _WIDTH)
        ]
        bounds[way] = matrix_norm(np.concatenate(parts, axis=1), norms)
    value, note = least(bounds)
    return Answer(value, Label.CERTIFIED, note)
