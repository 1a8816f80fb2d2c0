"""The report of a comparison as Markdown, for somebody who has never seen geolip."""

import statistics
from collections import Counter
from collections.abc import Sequence

import families
from table import cell, markdown, preface

from comparison import analysis
from comparison.analysis import by, median, numbers
from comparison.records import Record
from comparison.tools import Kind

_NOTHING = "-"
# The published forms with the least values.
_BEST_FORMS = ("GeoLIP dual", "LipSDP neuron")
# What is below a lower bound by less than this may be called an inaccuracy.
_CLEAR = 1e-4


def text(runs: Sequence[Record], cases: Sequence[Record]) -> str:
    """Return the report of all cases, as `analysis.with_ratios` makes them."""
    parts = [
        _opening(cases),
        findings(cases),
        _networks(cases),
        *(_tools(cases, norm) for norm in by(cases, "norm")),
        _unverified(cases),
        *(_family(found, name) for name, found in by(cases, "family").items()),
        _scaling(cases),
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
perfect, and an upper bound below 1 is wrong. *Low* marks what is below the formal
constant by more than {_CLEAR:g} of it. *Over geolip* is a value divided by what
`geolip certify` proves, without any option but the norm."""


def findings(cases: Sequence[Record]) -> str:
    """Return what was found, in sentences made from the numbers."""
    answered = [c for c in cases if "value" in c]
    claims = [c for c in answered if analysis.is_claim(c)]
    proved = [c for c in claims if analysis.is_proved(c)]
    unproved = [c for c in claims if not analysis.is_proved(c)]
    wrong = [c for c in unproved if c["below_truth"]]
    low = [c for c in unproved if c["over_fgl"] and c["over_fgl"] < 1 - _CLEAR]
    networks = {(c["family"], c["network"]) for c in cases}
    refused = sum("refused" in c for c in cases)
    sentences = [
        f"{len(by(cases, 'tool'))} tools were asked about {len(networks)} networks of "
        f"{len(by(cases, 'family'))} families: {len(answered)} answers, {refused} "
        f"refusals, and {len(cases) - len(answered) - refused} cases that failed, most "
        "of them for want of time or memory.",
        *_about_certify(cases),
        f"Of {len(unproved)} values that are not proved, {len(wrong)} are below what "
        "the constant is proved to be, so they are wrong as bounds"
        + (f", the worst by {_shortfall(wrong):.2g} of it" if wrong else "")
        + f"; {sum(c['below_fgl'] for c in unproved)} are below the formal constant, "
        f"which the published programs bound, {len(low)} of them by more than "
        f"{_CLEAR:g} of it"
        + (f", the worst by {_shortfall(low, 'over_fgl'):.0%}." if low else "."),
    ]
    bad = [c for c in proved if c["below_truth"]]
    sentences.append(
        f"Of {len(proved)} certified values, {len(bad) or 'none'} "
        f"{'is' if len(bad) < 2 else 'are'} below a proved lower bound."
    )
    return "## Findings\n\n" + " ".join(sentences)


def _about_certify(cases: Sequence[Record]) -> list[str]:
    mine = [c for c in cases if c["kind"] == Kind.CERTIFY.value and "value" in c]
    over = numbers(mine, "over_lower")
    if not over:
        return []
    sentences = [
        f"What geolip certify proves is at most {_ratio(median(over))} times the lower "
        f"bound in half of its {len(over)} cases, and {_ratio(max(over))} times in the "
        "worst."
    ]
    products = [c for c in cases if c["tool"].startswith("norm product")]
    above = numbers(products, "over_bound")
    if above:
        sentences.append(
            f"The norm product is {_ratio(median(above))} times its bound in the "
            f"median, and up to {_ratio(max(above))} times."
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
                f"{_ratio(median(quotients))} times as long where it did."
            )
    return sentences


def _shortfall(cases: Sequence[Record], over: str = "over_lower") -> float:
    return 1 - min(numbers(cases, over))


def _networks(cases: Sequence[Record]) -> str:
    rows = []
    for name, found in by(cases, "family").items():
        title, about = _described(name)
        networks = len({c["network"] for c in found})
        rows.append([title, str(networks), ", ".join(by(found, "norm")), about])
    columns = ["family", "networks", "norms", "what it is"]
    return "## Networks\n\n" + _table(columns, rows, (0, 2, 3))


def _described(name: str) -> tuple[str, str]:
    if name not in families.names():
        return name, f"The ONNX files of {name}/."
    family = families.get(name)
    return family.TITLE, family.ABOUT


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
            _ratio(median(over)),
            _ratio(max(over, default=None)),
            _ratio(median(above)),
            _seconds(median(numbers(answers, "seconds"))),
            _ratio(median(numbers(answers, "units"))),
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
        "machine.\n\n" + _table(columns, [row for _, row in sorted(rows)], (0, 1, 2))
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
            row += [str(len(low)), str(sum(c[over] < 1 - _CLEAR for c in low))]
            row += [_NOTHING] if worst is None else [_where(worst, over)]
        rows.append(row)
    clearly = f"by more than {_CLEAR:g}"
    columns = ["tool", "values", "below the constant", clearly, "worst, by and where"]
    columns += ["below FGL", f"{clearly} ", "worst, by and where "]
    return (
        "## Unverified values below the truth\n\nValues that nobody verified, against "
        "what is proved. Below the constant: below a proved lower bound of the "
        "Lipschitz constant, so wrong as a bound. Below FGL: below a proved lower "
        "bound of the formal constant, so not a value of the program that was "
        "solved.\n\n" + _table(columns, rows, (0, 4, 7))
    )


def _where(case: Record, over: str) -> str:
    short = f"{1 - case[over]:.1e}"
    return cell(f"{short}: {case['family']}, {case['network']}, l_{case['norm']}")


def _family(cases: Sequence[Record], name: str) -> str:
    title, about = _described(name)
    known = name in families.names()
    reference = families.get(name).METHODS[:1] if known else ()
    parts = [f"## {title[0].upper()}{title[1:]}", about]
    for norm, found in by(cases, "norm").items():
        if reference:
            parts.append(_draws(found, norm))
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
            row = [tool, *(cells.get(n, _NOTHING) for n in networks)]
            rows.append((median(numbers(found, "over_lower")) or float("inf"), row))
    lines = [row for _, row in sorted(rows)]
    truths = {n: analysis.truth(found) for n, found in networks.items()}
    for title, proved in (("lower bound", "lower"), ("FGL at least", "fgl_lower")):
        values = [getattr(truths[n], proved) for n in networks]
        told = [f"{value:.5g}" if value else _NOTHING for value in values]
        lines.append([f"*{title}*", *told])
    exact = {n: found[0]["exact"] for n, found in networks.items()}
    if any(exact.values()):
        told = [_NOTHING if exact[n] is None else f"{exact[n]:.5g}" for n in networks]
        lines.append(["*closed form*", *told])
    return _table(columns, lines, (0,))


def _cell(case: Record) -> str:
    if "failed" in case:
        return "failed"
    if "refused" in case:
        return _NOTHING
    if case["over_lower"] is None:
        return f"({case['value']:.5g})"
    shown = _ratio(case["over_lower"])
    if case["below_truth"]:
        return f"**{shown} wrong**"
    return f"*{shown} low*" if case["over_fgl"] < 1 - _CLEAR else shown


def _draws(cases: Sequence[Record], norm: str) -> str:
    """Return the table of a family of draws: mean and spread over the first tool."""
    first = next(iter(by(cases, "tool")))
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
                f"{statistics.fmean(ratios):.3g} +- {spread:.2g}"
                if ratios
                else _NOTHING
            )
        rows.append(row)
    columns = [f"l_{norm}, over {first}", *(f"{size:g} matrices" for size in sizes)]
    return _table(columns, rows, (0,))


def _scaling(cases: Sequence[Record]) -> str:
    parts = [
        "## How time grows",
        "The exponent is that of the power law through the logarithms of size and "
        "seconds, by least squares; the residual is the root mean square of what it "
        "leaves, as a factor. Only tools with at least three sizes; small networks "
        "tell of overheads. ![seconds against size](time.png)",
    ]
    for name, found in by(cases, "family").items():
        if name not in families.names() or families.get(name).METHODS:
            continue
        family = families.get(name)
        for norm, asked in by(found, "norm").items() if family.GROWS else ():
            rows = []
            for tool, mine in by(asked, "tool").items():
                power = analysis.fit(mine)
                if power is not None:
                    last = max(
                        (c for c in mine if "value" in c),
                        key=lambda c: float(c["size"]),
                    )
                    rows.append(
                        [
                            tool,
                            str(power.points),
                            f"{power.exponent:.2f}",
                            f"{power.residual:.2f}",
                            f"{last['size']:g}",
                            _seconds(last["seconds"]),
                        ]
                    )
            if rows:
                rows.sort(key=lambda row: float(row[2]))
                columns = [
                    f"{family.TITLE}, l_{norm}",
                    "points",
                    f"exponent in {family.GROWS}",
                    "residual",
                    f"largest {family.GROWS}",
                    "seconds there",
                ]
                parts.append(_table(columns, rows, (0,)))
    return "\n\n".join(parts)


def _silent(cases: Sequence[Record]) -> str:
    """Return why there are cases without a value."""
    parts = ["## Why there is no value"]
    for what, title in (("failed", "failed because"), ("refused", "refused because")):
        reasons: Counter[tuple[str, str]] = Counter(
            (c["tool"], cell(c[what], 120)) for c in cases if what in c
        )
        rows = [[tool, str(n), why] for (tool, why), n in sorted(reasons.items())]
        if rows:
            parts.append(_table(["tool", "cases", title], rows, (0, 2)))
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


def _table(columns: list[str], rows: list[list[str]], texts: Sequence[int]) -> str:
    return "\n".join(markdown(columns, rows, [columns[i] for i in texts]))


def _ratio(value: float | None) -> str:
    if value is None:
        return _NOTHING
    return f"{value:.4f}" if 0.9 < value < 1.1 else f"{value:.3g}"


def _seconds(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2g}"
