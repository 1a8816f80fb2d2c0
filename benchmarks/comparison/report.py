"""The report of a comparison as Markdown, for somebody who has never seen geolip."""

import statistics
from collections import Counter
from collections.abc import Sequence

import families
from table import cell, preface

from comparison import analysis
from comparison.analysis import by, median, numbers
from comparison.findings import findings
from comparison.records import Record
from comparison.scaling import scaling
from comparison.tools import Kind
from comparison.wording import CLEAR, NOTHING, described, ratio, seconds, table
from geolip import methods


def text(runs: Sequence[Record], cases: Sequence[Record]) -> str:
    """Return the report of all cases, as `analysis.with_ratios` makes them."""
    parts = [
        _opening(cases),
        findings(cases),
        _networks(cases),
        *(_tools(cases, norm) for norm in by(cases, "norm")),
        _unverified(cases),
        *(_family(found, name) for name, found in by(cases, "family").items()),
        scaling(cases),
        _notes(cases),
        _silent(cases),
        _machines(runs),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(cases: Sequence[Record]) -> str:
    norms = " and ".join(f"l_{norm}" for norm in by(cases, "norm"))
    return f"""\
# Bounds of Lipschitz constants compared

How far can the output of a neural network move when its input moves by one unit? That
is its Lipschitz constant. Here every tool at hand bounds it for the same networks, in
{norms}, each case in a process of its own with the same limits of time and memory.
Made by `python benchmarks/compare.py`; the numbers are in `results.jsonl`.

![values of all tools](values.png)

What a number is worth is its label:

| label | meaning |
| --- | --- |
| certified | the constant is proved not to be above it, all roundings counted |
| exact | proved, and no bound with free slopes can be below it |
| lower | the constant is proved not to be below it: a gradient's norm |
| FGL lower | the same of the formal constant (FGL), where each neuron's slope is free |
| estimate | the number of a solver or of a heuristic, of which nothing is proved |

*Over lower* is a value divided by the best proved lower bound of the constant: 1 is
perfect, and an upper bound below 1 is wrong and set in **bold**. *Low* marks bounds
below the formal constant by more than {CLEAR:g} of it. *Over geolip* is a value divided
by what `geolip certify` proves, without any option but the norm."""


def _networks(cases: Sequence[Record]) -> str:
    rows = []
    for name, found in by(cases, "family").items():
        title, about = described(name)
        networks = len({c["network"] for c in found})
        rows.append([title, str(networks), ", ".join(by(found, "norm")), about])
    columns = ["family", "networks", "norms", "what it is"]
    return "## Networks\n\n" + table(columns, rows, (0, 2, 3))


def _tools(cases: Sequence[Record], norm: str) -> str:
    """Return the table of the tools in one norm, over all networks."""
    rows = []
    for tool, found in by(cases, "tool").items():
        mine = [c for c in found if c["norm"] == norm]
        answers = [c for c in mine if "value" in c]
        if not answers:
            continue
        over, above = numbers(answers, "over_lower"), numbers(answers, "over_bound")
        order = median(above) or float("inf")
        row = [
            tool,
            mine[0]["kind"],
            ", ".join(sorted({c["label"] for c in answers})),
            f"{len(answers)} of {len(mine)}",
            str(sum("failed" in c for c in mine)),
            ratio(median(over)),
            ratio(max(over, default=None)),
            ratio(median(above)),
            seconds(median(numbers(answers, "seconds"))),
            ratio(median(numbers(answers, "units"))),
            f"{max(numbers(answers, 'peak_mb')):.0f}",
        ]
        rows.append((order, row))
    columns = [
        "tool",
        "what it is",
        "label",
        "answered",
        "failed",
        "over lower, median",
        "largest",
        "over geolip, median",
        "seconds, median",
        "units, median",
        "MB, largest",
    ]
    return (
        f"## Tools, l_{norm}\n\nEach over the cases that it answered, which are not "
        "the same for all; sorted by value. Cases that are neither answered nor failed "
        "were refused. A unit is one 2048 x 2048 x 2048 matrix product of this "
        "machine.\n\n" + table(columns, [row for _, row in sorted(rows)], (0, 1, 2))
    )


def _unverified(cases: Sequence[Record]) -> str:
    rows = []
    for tool, found in by(cases, "tool").items():
        claims = [
            c for c in found if analysis.is_claim(c) and not analysis.is_proved(c)
        ]
        if not claims:
            continue
        row = [tool, str(len(claims))]
        for below, over in (("below_truth", "over_lower"), ("below_fgl", "over_fgl")):
            low = [c for c in claims if c[below]]
            worst = min(low, key=lambda c: float(c[over]), default=None)
            row += [str(len(low)), str(sum(c[over] < 1 - CLEAR for c in low))]
            row += [NOTHING] if worst is None else [_where(worst, over)]
        rows.append(row)
    clearly = f"by more than {CLEAR:g}"
    columns = ["tool", "values", "below the constant", clearly, "worst, by and where"]
    columns += ["below FGL", f"{clearly} ", "worst, by and where "]
    return (
        "## Unverified values below the truth\n\nValues that nobody verified, against "
        "what is proved. Below the constant: below a proved lower bound of the "
        "Lipschitz constant, so wrong as a bound. Below FGL: below a proved lower "
        "bound of the formal constant, so not a value of the program that was "
        "solved.\n\n" + table(columns, rows, (0, 4, 7))
    )


def _where(case: Record, over: str) -> str:
    short = f"{1 - case[over]:.1e}"
    return cell(f"{short}: {case['family']}, {case['network']}, l_{case['norm']}")


def _family(cases: Sequence[Record], name: str) -> str:
    title, about = described(name)
    known = name in families.names()
    reference = families.get(name).METHODS[:1] if known else ()
    parts = [f"## {title[0].upper()}{title[1:]}", about]
    for norm, found in by(cases, "norm").items():
        if reference:
            parts.append(_draws(found, norm, methods.get(reference[0]).TITLE))
        else:
            parts.append(_members(found, norm))
    return "\n\n".join(parts)


def _members(cases: Sequence[Record], norm: str) -> str:
    """Return the table of a family's networks: values over the lower bound."""
    networks = by(cases, "network")
    columns = [f"l_{norm}, over lower", *networks]
    rows = []
    for tool, found in by(cases, "tool").items():
        if any("value" in c for c in found):
            cells = {c["network"]: _cell(c) for c in found}
            row = [tool, *(cells.get(n, NOTHING) for n in networks)]
            rows.append((median(numbers(found, "over_lower")) or float("inf"), row))
    lines = [row for _, row in sorted(rows)]
    truths = {n: analysis.truth(found) for n, found in networks.items()}
    for title, proved in (("lower bound", "lower"), ("FGL at least", "fgl_lower")):
        values = [getattr(truths[n], proved) for n in networks]
        told = [f"{value:.5g}" if value else NOTHING for value in values]
        lines.append([f"*{title}*", *told])
    exact = {n: found[0]["exact"] for n, found in networks.items()}
    if any(exact.values()):
        told = [NOTHING if exact[n] is None else f"{exact[n]:.5g}" for n in networks]
        lines.append(["*closed form*", *told])
    return table(columns, lines, (0,))


def _cell(case: Record) -> str:
    if "failed" in case:
        return "failed"
    if "refused" in case:
        return NOTHING
    if case["over_lower"] is None:
        return f"({case['value']:.5g})"
    over = case["over_lower"]
    if case["below_truth"]:
        return f"**{1 - over:.0e} below**" if over > 1 - CLEAR else f"**{over:.3g}**"
    low = analysis.is_claim(case) and case["over_fgl"] < 1 - CLEAR
    return f"*{ratio(over)} low*" if low else ratio(over)


def _draws(cases: Sequence[Record], norm: str, first: str) -> str:
    """Return the table of a family of draws: mean and spread over the first tool."""
    references = {
        c["network"]: c["value"] for c in cases if c["tool"] == first and "value" in c
    }
    sizes = sorted({c["size"] for c in cases})
    rows = []
    for tool, found in by(cases, "tool").items():
        row = [tool]
        for size in sizes:
            ratios = [
                c["value"] / references[c["network"]]
                for c in found
                if c["size"] == size and "value" in c and c["network"] in references
            ]
            spread = statistics.pstdev(ratios) if ratios else 0.0
            row.append(
                f"{statistics.fmean(ratios):.3g} +- {spread:.2g}" if ratios else NOTHING
            )
        rows.append(row)
    columns = [f"l_{norm}, over {first}", *(f"{size:g} matrices" for size in sizes)]
    return table(columns, rows, (0,))


def _notes(cases: Sequence[Record]) -> str:
    """Return what geolip's methods remark on their values."""
    remarks = [c for c in cases if c["kind"] == Kind.METHOD.value and c.get("note", "")]
    rows = []
    for (tool, note), found in by(remarks, lambda c: (c["tool"], c["note"])).items():
        first = found[0]
        where = f"{first['family']}, {first['network']}, l_{first['norm']}"
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        rows.append([tool, where + more, cell(note)])
    columns = ["tool", "where", "remark"]
    return "## Remarks\n\n" + table(columns, rows, (0, 1, 2)) if rows else ""


def _silent(cases: Sequence[Record]) -> str:
    """Return why there are cases without a value."""
    parts = ["## Why there is no value"]
    for what, title in (("failed", "failed because"), ("refused", "refused because")):
        reasons: Counter[tuple[str, str]] = Counter(
            (c["tool"], cell(c[what], 120)) for c in cases if what in c
        )
        rows = [[tool, str(n), why] for (tool, why), n in sorted(reasons.items())]
        if rows:
            parts.append(table(["tool", "cases", title], rows, (0, 2)))
    return "\n\n".join(parts) if len(parts) > 1 else ""


def _machines(runs: Sequence[Record]) -> str:
    lines = ["## Where and how"]
    for run in runs:
        jobs = f"- {run.get('jobs', 1)} cases side by side"
        lines.append("\n".join([*preface(run), jobs]))
    lines.append(
        "Run `make bench` (minutes) or `make bench-full` (hours) for figures of your "
        "own machine."
    )
    return "\n\n".join(lines)
