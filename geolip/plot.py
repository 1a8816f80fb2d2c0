"""A picture of a comparison: what each method's bound costs, and how tight it is."""

import io
import math
from collections.abc import Sequence
from typing import Any

from geolip.comparison import Comparison, Row
from geolip.methods import Label

# What answers faster stands here: it is the time of the process around it.
_FASTEST = 1e-3
# Inches for each label, and of the rest.
_LINE, _MARGINS = 0.22, 1.6
_STYLES = {
    Label.CERTIFIED: ("o", "tab:blue"),
    Label.EXACT: ("D", "tab:green"),
    Label.LOWER: ("^", "tab:red"),
    Label.FGL_LOWER: ("v", "tab:orange"),
    Label.ESTIMATE: ("x", "tab:gray"),
}


def picture(comparison: Comparison) -> bytes:
    """Return a PNG of values against seconds, both logarithmic.

    Names stand on the right, in the order of the values, each tied to its point.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter, StrMethodFormatter

    rows = [row for row in comparison.rows if row.answer.value > 0]
    height = max(4.0, _MARGINS + _LINE * len(rows))
    figure = Figure(figsize=(10.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_yscale("log")
    for label, (marker, colour) in _STYLES.items():
        chosen = [row for row in rows if row.answer.label is label]
        if chosen:
            axes.scatter(
                [_seconds(row) for row in chosen],
                [row.answer.value for row in chosen],
                marker=marker,
                color=colour,
                label=label.value,
                zorder=3,
            )
    best = comparison.best_lower
    if best is not None and best.answer.value > 0:
        axes.axhline(best.answer.value, color="tab:red", linewidth=1, linestyle="--")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        # Between powers of ten where there are few of those.
        axis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
    axes.margins(x=0.05, y=0.08)
    _name(axes, rows)
    axes.set_xlabel("seconds")
    norms = f"l_{comparison.input_norm} to l_{comparison.output_norm}"
    axes.set_ylabel(f"Lipschitz constant, {norms}")
    axes.set_title(comparison.model.headline, fontsize="medium")
    axes.grid(which="major", alpha=0.3)
    if rows:
        axes.legend(loc="best", fontsize="small")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=150)
    return stream.getvalue()


def _name(axes: Any, rows: Sequence[Row]) -> None:
    """Write the names beside the axes, from the top down, none over another."""
    if not rows:
        return
    low, high = map(math.log, axes.get_ylim())
    points = [(_seconds(row), row.answer.value) for row in rows]
    heights = [(math.log(value) - low) / (high - low) for _, value in points]
    for row, point, height in zip(rows, points, _apart(heights), strict=True):
        axes.annotate(
            row.name,
            xy=point,
            xytext=(1.05, height),
            textcoords="axes fraction",
            fontsize="small",
            color=_STYLES[row.answer.label][1],
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": "0.75",
                "linewidth": 0.6,
                # From the middle of the left side.
                "relpos": (0.0, 0.5),
            },
        )


def _apart(heights: Sequence[float]) -> list[float]:
    """Return falling heights between 0 and 1 that keep a distance, near the wanted."""
    distance = 1.0 / max(len(heights), 20)
    placed: list[float] = []
    for height in heights:
        most = placed[-1] - distance if placed else 1.0
        placed.append(min(height, most))
    # What was pushed out below comes back up, and takes the others along.
    least = 0.0
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = max(placed[i], least)
        least = placed[i] + distance
    return placed


def _seconds(row: Row) -> float:
    return max(row.seconds, _FASTEST)
