"""LipSDP-Neuron on two layers of neurons at a time, the bounds multiplied; l_2 inputs.

A part is what lies between two places where the network may be cut
(`geolip.splitting`), after every second layer where there is such a place. Hidden
layers are measured in l_2.

Source: Fazlyab, Robey, Hassani, Morari, Pappas, NeurIPS 2019 (arXiv 1906.04893),
section 4, `--split` of its code; docs/theory.md section 7.
"""

from dataclasses import replace

from geolip import backend, presolve, settling, splitting
from geolip.methods import Answer, Label, Question
from geolip.splitting import Part

TITLE = "LipSDP-Neuron, split"
ANYTIME = True

_LAYERS = 2


def refusal(question: Question) -> str | None:
    """Return None, or why the relaxation does not apply, or no part can be held."""
    parts = _parts(question)
    refusals = (settling.refusal(p.network, p.norms, inputs=("2",)) for p in parts)
    refused = next((reason for reason in refusals if reason is not None), None)
    if refused is None and len(parts) == 1:
        return f"takes what can be cut after {_LAYERS} layers: this network cannot"
    return refused


def answer(question: Question) -> Answer:
    """Return the product of the verified bounds of the parts."""
    parts, settings = _parts(question), question.settings
    if settings.time_limit is not None:
        settings = replace(settings, time_limit=settings.time_limit / len(parts))
    product, notes = 1.0, [f"{len(parts)} parts"]
    for part in parts:
        engine = backend.get("auto")
        found = settling.settled(part.network, part.norms, settings, engine)
        product = splitting.multiplied(product, found.bound)
        notes += [found.note] if found.note else []
    return Answer(product, Label.CERTIFIED, ", ".join(dict.fromkeys(notes)))


def _parts(question: Question) -> list[Part]:
    network = presolve.reduce(question.network.sectors()).network
    left, parts = Part(network, question.norms), []
    while places := [k for k in splitting.cuts(left.network) if k >= _LAYERS]:
        front, left = splitting.cut(left, min(places))
        parts.append(front)
    return [*parts, left]
