"""Certify networks with solvers, every case in a process of its own; write a table."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import click

from geolip import backend, cli, norms
from geolip.backend import Status
from geolip.clock import STAGES
from geolip.errors import GeolipError
from geolip.report import round_down, round_up

_HERE = Path(__file__).parent
_SHIPPED = _HERE.parent / "models"
# Options that `geolip certify` has too are written the same way here.
_TYPES = {parameter.name: parameter.type for parameter in cli.certify.params}

_COLUMNS = (
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
# From here on, columns are numbers.
_FIRST_NUMBER, _REMARKS = 3, len(_COLUMNS) - 1


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option("--solver", "solvers", multiple=True, type=click.Choice(backend.names()))
@click.option("--norm", "pairs", multiple=True, default=("inf", "2"), show_default=True)
@click.option(
    "--rows",
    type=_TYPES["rows"],
    default="all",
    show_default=True,
    help="Outputs to bound where the output norm is inf, such as 0,3.",
)
@click.option("--accuracy", type=float, default=1e-4, show_default=True)
@click.option(
    "--time-limit", type=_TYPES["time_limit"], default="2m", show_default=True
)
@click.option(
    "--kill-after",
    type=_TYPES["time_limit"],
    metavar="TIME",
    help="End a case after this; default 3 time limits and a minute.",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="GB of address space for each case; default 0.8 of the machine's memory.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=_HERE / "out",
    help="Folder for results.jsonl and results.md; default benchmarks/out.",
)
def main(
    models: Sequence[str],
    solvers: Sequence[str],
    pairs: Sequence[str],
    rows: str | list[int],
    accuracy: float,
    time_limit: float,
    kill_after: float | None,
    memory_limit: float | None,
    output: Path,
) -> None:
    """Certify every MODEL (.onnx, or .mat with a cell `weights`) with every solver.

    Without arguments: the networks in models/, every solver that is usable, both norms.
    """
    models = models or [str(path) for path in sorted(_SHIPPED.glob("*.onnx"))]
    solvers = solvers or _usable()
    try:
        rowwise = {pair: norms.parse(pair).rowwise for pair in pairs}
    except GeolipError as error:
        raise click.UsageError(str(error)) from error
    table = _Table(output, _header(accuracy, time_limit))
    cases = list(product(models, pairs, solvers))
    for number, (model, pair, solver) in enumerate(cases, 1):
        name = Path(model).name
        _show(f"[{number}/{len(cases)}] {name}, norm {pair}, {solver} ... ", nl=False)
        task = {
            "model": model,
            "norm": pair,
            "solver": solver,
            "rows": rows if rowwise[pair] else "all",
            "accuracy": accuracy,
            "time_limit": time_limit,
            "memory_limit": _bytes(memory_limit),
        }
        outcome = _run(task, kill_after or 3 * time_limit + 60)
        table.add({"network": name, **task, **outcome})
        _show(_sentence(outcome))
    click.echo(table.text())


def _usable() -> list[str]:
    names = []
    for name in backend.names():
        reason = backend.get(name).usable()
        if reason is None:
            names.append(name)
        else:
            _show(f"left out: {name}, {reason}")
    return names


def _bytes(gigabytes: float | None) -> int:
    if gigabytes is not None:
        return int(gigabytes * 1e9)
    return int(0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _header(accuracy: float, time_limit: float) -> dict[str, Any]:
    _show("measuring the machine ... ", nl=False)
    command = [sys.executable, str(_HERE / "machine.py")]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    header: dict[str, Any] = json.loads(answer.stdout)
    _show(f"one unit is {header['unit_seconds']:.3f} s")
    return {**header, "accuracy": accuracy, "time_limit": time_limit}


def _run(task: Mapping[str, Any], limit: float) -> dict[str, Any]:
    """Return what a process of its own answers; whatever happens to it, return."""
    command = [sys.executable, str(_HERE / "case.py"), json.dumps(task)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failed": f"ended after {limit:g} s without an answer"}
    try:
        outcome: dict[str, Any] = json.loads(answer.stdout)
    except json.JSONDecodeError:
        return {"failed": _reason(answer)}
    return outcome


def _reason(answer: "subprocess.CompletedProcess[str]") -> str:
    said = answer.stderr.strip().splitlines()
    last = said[-1] if said else "it said nothing"
    if answer.returncode < 0:
        return f"killed by {signal.Signals(-answer.returncode).name}: {last}"
    return f"exit code {answer.returncode}: {last}"


class _Table:
    """The two files, complete after every case."""

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self._folder, self._header = folder, header
        self._rows: list[list[str]] = []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.jsonl").write_text(json.dumps(header) + "\n")
        (folder / "results.md").write_text(self.text() + "\n")

    def add(self, record: Mapping[str, Any]) -> None:
        """Write one more case."""
        with (self._folder / "results.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
        self._rows.append(_row(record, self._header["unit_seconds"]))
        (self._folder / "results.md").write_text(self.text() + "\n")

    def text(self) -> str:
        """Return the machine and the table as Markdown."""
        widths = [
            max(len(row[i]) for row in (_COLUMNS, *self._rows))
            for i in range(len(_COLUMNS))
        ]
        rule = []
        for i, width in enumerate(widths):
            number = _FIRST_NUMBER <= i < _REMARKS
            rule.append("-" * (width - 1) + (":" if number else "-"))
        rows = [
            [
                cell.rjust(w) if _FIRST_NUMBER <= i < _REMARKS else cell.ljust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            ]
            for row in (_COLUMNS, *self._rows)
        ]
        lines = [f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:])]
        return "\n".join([*_preface(self._header), "", *lines])


def _preface(header: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {v}" for name, v in header["versions"].items())
    memory = f"{header['memory_mb'] / 2**10:.1f} GB"
    cores = f"{header['cores']} cores, {header['threads']} threads"
    return [
        f"- {header['date']}, commit {header['commit'] or 'unknown'}",
        f"- {header['cpu']}, {cores}, {memory}; {header['platform']}",
        f"- {versions}; BLAS {header['blas']}",
        f"- accuracy {header['accuracy']:g}, time limit {header['time_limit']:g} s",
        f"- one unit, a 2048 x 2048 x 2048 float64 matrix product, is "
        f"{header['unit_seconds']:.4f} s",
    ]


def _row(record: Mapping[str, Any], unit: float) -> list[str]:
    case = [record["network"], record["norm"], record["solver"]]
    if "failed" in record:
        dashes = ["-"] * (_REMARKS - _FIRST_NUMBER)
        return [*case, *dashes, _cell(f"failed: {record['failed']}")]
    report = record["report"]
    seconds, value = report["seconds"], report["relaxation_value"]
    gap = report["bound"] / value - 1 if value else None
    return [
        *case,
        "-" if value is None else f"{value:.7g}",
        round_up(report["bound"]),
        round_down(report["lower_bound"]),
        round_down(report["fgl_lower_bound"]),
        "-" if gap is None else f"{gap:.1e}",
        *(f"{seconds[stage]:.3f}" for stage in STAGES),
        f"{seconds['total']:.3f}",
        f"{seconds['total'] / unit:.3g}",
        f"{record['peak_mb']:.0f}",
        _cell("; ".join(_remarks(report))),
    ]


def _remarks(report: Mapping[str, Any]) -> list[str]:
    """Return what keeps the row from being an ordinary one."""
    solved = (Status.SOLVED.value, Status.TRIVIAL.value)
    statuses = dict.fromkeys(output["status"] for output in report["outputs"])
    return [*(s for s in statuses if s not in solved), *report["notes"]]


def _cell(text: str, longest: int = 200) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= longest else line[: longest - 3] + "..."


def _sentence(outcome: Mapping[str, Any]) -> str:
    if "failed" in outcome:
        return _cell(f"failed: {outcome['failed']}")
    report = outcome["report"]
    return f"{round_up(report['bound'])} in {report['seconds']['total']:.2f} s"


def _show(text: str, *, nl: bool = True) -> None:
    click.echo(text, err=True, nl=nl)


if __name__ == "__main__":
    main()
