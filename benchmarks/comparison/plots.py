"""The pictures of a comparison."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import families

from comparison.analysis import by, is_claim, median, numbers
from comparison.records import Record
from comparison.tools import Kind

_COLOURS = {
    Kind.CERTIFY.value: "C3",
    Kind.METHOD.value: "C0",
    Kind.PAPER.value: "C1",
    Kind.PEER.value: "C2",
}


def draw(cases: Sequence[Record], folder: Path) -> None:
    """Write ``values.png`` and ``time.png`` into a folder."""
    import matplotlib

    matplotlib.use("agg")
    _values(cases, folder / "values.png")
    _times(cases, folder / "time.png")


def _values(cases: Sequence[Record], target: Path) -> None:
    """Draw every value over the proved lower bound, a line for each tool."""
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    claims = [c for c in cases if is_claim(c) and c["over_lower"] is not None]
    norms = list(by(claims, "norm"))
    if not norms:
        return
    most = max(len(by((c for c in claims if c["norm"] == n), "tool")) for n in norms)
    figure, panels = plt.subplots(
        1, len(norms), figsize=(5.4 * len(norms), 1.6 + 0.2 * most), squeeze=False
    )
    for panel, norm in zip(panels.flat, norms, strict=True):
        tools = by((c for c in claims if c["norm"] == norm), "tool")
        order = sorted(
            tools, key=lambda t: median(numbers(tools[t], "over_bound")) or 0
        )
        for place, tool in enumerate(reversed(order)):
            found = tools[tool]
            ratios = numbers(found, "over_lower")
            colour = _COLOURS[found[0]["kind"]]
            panel.plot(ratios, [place] * len(ratios), "|", color=colour, markersize=9)
        panel.set_yticks(range(len(order)), list(reversed(order)), fontsize=7)
        panel.set_xscale("log")
        left, right = panel.get_xlim()
        panel.set_xlim(min(left, 0.9), right)
        panel.axvspan(min(left, 0.9), 1, color="0.88", zorder=0)
        panel.set_title(f"l_{norm}", fontsize=9)
        panel.set_xlabel("value / proved lower bound (grey: wrong)", fontsize=8)
        panel.tick_params(labelsize=7)
    kinds = [kind for kind in _COLOURS if any(c["kind"] == kind for c in claims)]
    marks = [Line2D([], [], ls="", marker="|", color=_COLOURS[kind]) for kind in kinds]
    figure.legend(marks, kinds, ncols=len(kinds), loc="lower center", fontsize=8)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(target, dpi=110)
    plt.close(figure)


def _times(cases: Sequence[Record], target: Path) -> None:
    """Draw seconds against what grows, a panel for each family and norm."""
    import matplotlib.pyplot as plt

    growing = [
        name
        for name in by(cases, "family")
        if name in families.names()
        and families.get(name).GROWS
        and not families.get(name).METHODS
    ]
    panels = {
        (name, norm): found
        for name, all_norms in by(cases, "family").items()
        if name in growing
        for norm, found in by(all_norms, "norm").items()
    }
    if not panels:
        return
    named = [
        tool
        for tool, found in by(cases, "tool").items()
        if found[0]["kind"] != Kind.METHOD.value
    ]
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    legend = 0.5 + 0.16 * (len(named) / 3 + 1)
    height = 3 * lines + legend
    figure, axes = plt.subplots(
        lines, columns, figsize=(5 * columns, height), squeeze=False
    )
    shown: dict[str, Any] = {}
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis, ((name, norm), found) in zip(axes.flat, panels.items(), strict=False):
        for tool, mine in by(found, "tool").items():
            points = [(c["size"], c["seconds"]) for c in mine if "value" in c]
            if not points:
                continue
            (line,) = axis.loglog(*zip(*points, strict=True), markersize=3)
            if tool in named:
                number = named.index(tool)
                line.set(color=f"C{number % 10}", marker="osv^Dx"[number // 10 % 6])
            else:
                line.set(color="0.75", marker=".", zorder=0)
            line.set_linewidth(2.2 if mine[0]["kind"] == Kind.CERTIFY.value else 0.9)
            shown.setdefault(tool if tool in named else Kind.METHOD.value, line)
        axis.set_title(f"{families.get(name).TITLE}, l_{norm}", fontsize=8)
        axis.set_xlabel(families.get(name).GROWS, fontsize=8)
        axis.set_ylabel("seconds", fontsize=8)
        axis.tick_params(labelsize=7)
        sizes = sorted({c["size"] for c in found})
        axis.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    figure.legend(
        shown.values(), shown.keys(), ncols=3, loc="lower center", fontsize=6.5
    )
    figure.tight_layout(rect=(0, legend / height, 1, 1))
    figure.savefig(target, dpi=110)
    plt.close(figure)
