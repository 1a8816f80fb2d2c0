"""The tables of the benchmarks: JSON lines for machines, Markdown for people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geolip.backend import Status
from geolip.clock import STAGES
from geolip.decimals import round_down, round_up

COLUMNS = (
    "network",
    "norm",
    "solver",
    "value",
    "bound",
    "lower bound",
    "FGL lower bound",
    "verified gap",
    *(f"{stage.replace('_', ' ')} s" for stage in STAGES),
    "total s",
    "units",
    "peak MB",
    "remarks",
)
_TARGET_COLUMNS = (
    "network",
    "norm",
    "rows",
    "solver",
    "accuracy",
    "value",
    "bound",
    "verified gap",
    "total s",
    "units",
    "target",
    "peak MB",
    "remarks",
)
_WORDS = ("network", "norm", "rows", "solver", "remarks")


class Table:
    """``results.jsonl`` and ``results.md``, complete after every case.

    Parameters
    ----------
    folder : Path
        Where they are written.
    header : mapping
        The machine, see `machine.describe`, and the settings.
    targets : bool
        Whether cases have a norm, rows and accuracy of their own, and a target.
    """

    def __init__(
        self, folder: Path, header: Mapping[str, Any], *, targets: bool = False
    ) -> None:
        self._folder, self._header, self._targets = folder, header, targets
        self._records: list[Mapping[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.jsonl").write_text(json.dumps(header) + "\n")
        (folder / "results.md").write_text(self.text() + "\n")

    def add(self, record: Mapping[str, Any]) -> None:
        """Write one more case."""
        with (self._folder / "results.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
        self._records.append(record)
        (self._folder / "results.md").write_text(self.text() + "\n")

    def text(self) -> str:
        """Return the machine and the table as Markdown."""
        unit = self._header["unit_seconds"]
        make = _target_row if self._targets else _row
        columns = _TARGET_COLUMNS if self._targets else COLUMNS
        rows = [make(record, unit) for record in self._records]
        return "\n".join([*preface(self._header), "", *markdown([*columns], rows)])


def markdown(
    columns: list[str], rows: list[list[str]], texts: Sequence[str] = _WORDS
) -> list[str]:
    """Return the lines of a table; columns that are not texts are set flush right."""
    lines = [columns, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    words = {i for i, name in enumerate(columns) if name in texts}
    rule = ["-" * (w - 1) + ("-" if i in words else ":") for i, w in enumerate(widths)]
    cells = [
        [
            text.ljust(w) if i in words else text.rjust(w)
            for i, (text, w) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return [f"| {' | '.join(line)} |" for line in (cells[0], rule, *cells[1:])]


def preface(header: Mapping[str, Any]) -> list[str]:
    """Return the lines that say where the numbers are from."""
    versions = ", ".join(f"{name} {v}" for name, v in header["versions"].items())
    memory = f"{header['memory_mb'] / 2**10:.1f} GB"
    cores = f"{header['cores']} cores, {header['threads']} threads"
    return [
        f"- {header['date']}, commit {header['commit'] or 'unknown'}",
        f"- {header['cpu']}, {cores}, {memory}; {header['platform']}",
        f"- {versions}; BLAS {header['blas']}",
        "- "
        + ", ".join(
            f"{name.replace('_', ' ')} {header[name]:g}{unit}"
            for name, unit in (("accuracy", ""), ("time_limit", " s"))
            if name in header
        ),
        f"- one unit, a 2048 x 2048 x 2048 float64 matrix product, is "
        f"{header['unit_seconds']:.4f} s",
    ]


def _row(record: Mapping[str, Any], unit: float) -> list[str]:
    case = [record["network"], record["norm"], record["solver"]]
    return _line(case, record, _numbers(record, unit), COLUMNS)


def _target_row(record: Mapping[str, Any], unit: float) -> list[str]:
    rows = record["rows"] if isinstance(record["rows"], str) else "one"
    case = [record["network"], record["norm"], rows, record["solver"]]
    numbers = _numbers(record, unit)
    numbers["accuracy"] = f"{record['accuracy']:.0e}"
    numbers["target"] = f"{record['units']:g}" if record["units"] else "-"
    return _line(case, record, numbers, _TARGET_COLUMNS)


def _line(
    case: list[str],
    record: Mapping[str, Any],
    numbers: Mapping[str, str],
    columns: tuple[str, ...],
) -> list[str]:
    remarks = f"failed: {record['failed']}" if "failed" in record else ""
    remarks = remarks or "; ".join(_remarks(record["report"]))
    middle = columns[len(case) : -1]
    return [*case, *(numbers.get(name, "-") for name in middle), cell(remarks)]


def _numbers(record: Mapping[str, Any], unit: float) -> dict[str, str]:
    """Return the columns of numbers by name; none if the case failed."""
    if "failed" in record:
        return {}
    report = record["report"]
    seconds, value = report["seconds"], report["relaxation_value"]
    gap = report["bound"] / value - 1 if value else None
    return {
        "value": "-" if value is None else f"{value:.7g}",
        "bound": round_up(report["bound"]),
        "lower bound": round_down(report["lower_bound"]),
        "FGL lower bound": round_down(report["fgl_lower_bound"]),
        "verified gap": "-" if gap is None else f"{gap:.1e}",
        **{f"{stage.replace('_', ' ')} s": f"{seconds[stage]:.3f}" for stage in STAGES},
        "total s": f"{seconds['total']:.3f}",
        "units": f"{seconds['total'] / unit:.3g}",
        "peak MB": f"{record['peak_mb']:.0f}",
    }


def _remarks(report: Mapping[str, Any]) -> list[str]:
    """Return what keeps the row from being an ordinary one."""
    solved = (Status.SOLVED.value, Status.TRIVIAL.value)
    statuses = dict.fromkeys(output["status"] for output in report["outputs"])
    return [*(s for s in statuses if s not in solved), *report["notes"]]


def cell(text: str, longest: int = 200) -> str:
    """Return a text that fits into a table."""
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= longest else line[: longest - 3] + "..."
