"""The norm product: every layer's operator norm, multiplied along the graph.

Source: `geolip.bounds.norm_product`; as AutoLip (Virmaux and Scaman, NeurIPS 2018), but
with norms that are proved.
"""

from geolip.bounds.norm_product import norm_product
from geolip.bounds.structured_norm import structured_norm
from geolip.methods import Answer, Label, Question

TITLE = "norm product (AutoLip)"


def refusal(question: Question) -> str | None:
    """Return None: every network has a norm product."""
    del question
    return None


def answer(question: Question) -> Answer:
    """Return the norm product of the network."""
    value = norm_product(question.network.sectors(), question.norms, structured_norm)
    return Answer(value, Label.CERTIFIED)
