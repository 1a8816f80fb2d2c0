"""K_1, one operator norm for every pair of layers; it is also LipLT's recursion.

Source: `geolip.bounds.combettes_pesquet`.
"""

from geolip import memory
from geolip.bounds.combettes_pesquet import combettes_pesquet, numbers
from geolip.bounds.stages import explicit, least, ways
from geolip.methods import Answer, Label, Question

TITLE = "Combettes-Pesquet K1 (LipLT)"


def refusal(question: Question) -> str | None:
    """Return why not: products of layers are formed as matrices."""
    network = explicit(question.network.sectors())
    if memory.fits(numbers(network)):
        return None
    return (
        f"products of layers with {question.network.input_size} inputs and "
        f"{question.network.neurons} neurons do not fit in memory"
    )


def answer(question: Question) -> Answer:
    """Return K_1, with explicit or implicit maxima, whichever is smaller."""
    networks = ways(question.network.sectors())
    bounds, notes = {}, []
    for way, stages in networks.items():
        deadline = question.deadline(len(networks))
        bounds[way], late = combettes_pesquet(stages, question.norms, deadline)
        if late:
            notes.append(f"{way} out of time: {late} layers as norms".lstrip())
    value, note = least(bounds)
    return Answer(value, Label.CERTIFIED, "; ".join(filter(None, [note, *notes])))
