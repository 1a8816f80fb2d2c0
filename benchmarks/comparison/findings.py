"""What a comparison found, in sentences made from its numbers."""

import textwrap
from collections.abc import Sequence

from comparison import analysis
from comparison.analysis import by, median, numbers
from comparison.records import Record
from comparison.tools import Kind
from comparison.wording import CLEAR, ratio

# The published forms with the least values.
_BEST_FORMS = ("GeoLIP dual", "LipSDP neuron")


def findings(cases: Sequence[Record]) -> str:
    """Return what was found, in sentences made from the numbers."""
    answered = [c for c in cases if "value" in c]
    claims = [c for c in answered if analysis.is_claim(c)]
    proved = [c for c in claims if analysis.is_proved(c)]
    unproved = [c for c in claims if not analysis.is_proved(c)]
    networks = {(c["family"], c["network"]) for c in cases}
    refused = sum("refused" in c for c in cases)
    failures = len(cases) - len(answered) - refused
    sentences = [
        f"{len(by(cases, 'tool'))} tools were asked about {len(networks)} networks of "
        f"{len(by(cases, 'family'))} families: {len(answered)} answers, {refused} "
        f"refusals, {failures} failures.",
        *_about_certify(cases),
        *_about_unproved(unproved),
        f"Of {len(proved)} certified values, "
        f"{_are([c for c in proved if c['below_truth']])} below a proved lower bound.",
    ]
    return "## Findings\n\n" + textwrap.fill(" ".join(sentences), 88)


def _about_unproved(cases: Sequence[Record]) -> list[str]:
    if not cases:
        return []
    wrong = [c for c in cases if c["below_truth"]]
    low = [c for c in cases if c["below_fgl"]]
    clearly = [c for c in low if c["over_fgl"] < 1 - CLEAR]
    return [
        f"Of {len(cases)} values that are not proved, {_are(wrong)} below a proved "
        f"lower bound of the constant and so wrong as a bound{_worst(wrong)}.",
        f"{_are(low).capitalize()} below one of the formal constant, which the "
        f"published programs bound, {_are(clearly)} so by more than {CLEAR:g} of it"
        f"{_worst(clearly, 'over_fgl')}.",
    ]


def _are(cases: Sequence[Record]) -> str:
    return (
        "none is" if not cases else "1 is" if len(cases) == 1 else f"{len(cases)} are"
    )


def _worst(cases: Sequence[Record], over: str = "over_lower") -> str:
    if not cases:
        return ""
    return f" (the worst by {1 - min(numbers(cases, over)):.2g} of it)"


def _about_certify(cases: Sequence[Record]) -> list[str]:
    mine = [c for c in cases if c["kind"] == Kind.CERTIFY.value and "value" in c]
    over = numbers(mine, "over_lower")
    if not over:
        return []
    sentences = [
        f"What geolip certify proves is at most {ratio(median(over))} times the lower "
        f"bound in half of its {len(over)} cases, and {ratio(max(over))} times in the "
        "worst."
    ]
    products = [c for c in cases if c["tool"].startswith("norm product")]
    above = numbers(products, "over_bound")
    if above:
        sentences.append(
            f"The norm product is {ratio(median(above))} times its bound in the "
            f"median, and up to {ratio(max(above))} times."
        )
    seconds = {analysis.place_of(c): c["seconds"] for c in mine}
    for paper, found in by(cases, "tool").items():
        if found[0]["kind"] != Kind.PAPER.value:
            continue
        quotients = [
            c["seconds"] / seconds[analysis.place_of(c)]
            for c in found
            if "value" in c and analysis.place_of(c) in seconds
        ]
        if len(quotients) >= 3 and any(w in paper for w in _BEST_FORMS):
            sentences.append(
                f"{paper} answered {len(quotients)} of {len(found)}, and took "
                f"{ratio(median(quotients))} times as long where it did."
            )
    return sentences
