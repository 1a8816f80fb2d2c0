"""K_4: absolute values of the products along all paths, entry by entry.

Source: `geolip.bounds.entrywise`; a reconstruction, unconfirmed, of a bound of Pintore
and Despres (arXiv 2410.21053).
"""

from geolip import memory
from geolip.bounds.entrywise import absolute_paths, columns
from geolip.bounds.matrix_norm import matrix_norm
from geolip.bounds.stages import least, ways
from geolip.methods import Answer, Label, Question

TITLE = "Pintore-Despres K4 (reconstruction)"


def refusal(question: Question) -> str | None:
    """Return why not: in l_1 and l_2 every neuron has a row of the inputs' length."""
    network = question.network
    width = 1 if question.norms.input.name == "inf" else network.input_size
    # Of every neuron what it reaches, what passes it, and what that costs.
    if memory.fits(4.0 * (network.input_size + network.neurons) * width):
        return None
    return (
        f"{network.neurons} neurons by {network.input_size} inputs do not fit in "
        "memory; l_inf inputs need less"
    )


def answer(question: Question) -> Answer:
    """Return K_4, with explicit or implicit maxima, whichever is smaller."""
    norms = question.norms
    networks = ways(question.network.sectors())
    bounds, notes = {}, []
    for way, stages in networks.items():
        inputs = columns(norms.input, stages.input_size)
        reach, late = absolute_paths(stages, inputs, question.deadline(len(networks)))
        bounds[way] = matrix_norm(reach, norms)
        if late:
            notes.append(f"{way} out of time: {late} neurons as in K3".lstrip())
    value, note = least(bounds)
    return Answer(value, Label.CERTIFIED, "; ".join(filter(None, [note, *notes])))
