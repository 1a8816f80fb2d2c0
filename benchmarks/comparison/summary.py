"""The short table of a comparison, for the README."""

from collections.abc import Sequence

from table import markdown

from comparison.analysis import by, is_claim, is_proved, median, numbers
from comparison.records import Record
from comparison.tools import Kind
from comparison.wording import CLEAR

BEGIN = "<!-- comparison: written by benchmarks/render.py -->"
END = "<!-- end of comparison -->"
# Of geolip's own methods, the one that everybody knows.
_REFERENCE = "norm product"


def placed(page: str, cases: Sequence[Record]) -> str:
    """Return a page with the table between its marks.

    Raises
    ------
    ValueError
        If the page does not have both marks once.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"the page needs the lines {BEGIN!r} and {END!r}, once")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table(cases)}\n{END}{rest.split(END)[1]}"


def table(cases: Sequence[Record]) -> str:
    """Return what each tool says over the lower bound, and how often it is wrong.

    In the norms that the published formulations are for.
    """
    asked = by((c for c in cases if c["kind"] == Kind.PAPER.value), "norm")
    norms = list(asked or by(cases, "norm"))
    rows = []
    for tool, found in by((c for c in cases if _is_shown(c)), "tool").items():
        found = [c for c in found if c["norm"] in norms]
        answers = [c for c in found if is_claim(c)]
        if not answers:
            continue
        ratios = [
            median(numbers((c for c in answers if c["norm"] == norm), "over_lower"))
            for norm in norms
        ]
        rows.append(
            [
                tool,
                "yes" if all(map(is_proved, answers)) else "no",
                f"{len(answers)} of {len(found)}",
                *("-" if r is None else f"{r:.3f}" for r in ratios),
                str(sum(c["below_truth"] for c in answers)),
                str(sum((c["over_fgl"] or 1) < 1 - CLEAR for c in answers)),
                f"{median(numbers(answers, 'seconds')):.2g}",
            ]
        )
    columns = [
        "tool",
        "proved",
        "answered",
        *(f"l_{norm}, value / lower bound" for norm in norms),
        "below the constant",
        "clearly below FGL",
        "seconds",
    ]
    return "\n".join(markdown(columns, rows, ("tool", "proved")))


def _is_shown(case: Record) -> bool:
    tool: str = case["tool"]
    return case["kind"] != Kind.METHOD.value or tool.startswith(_REFERENCE)
