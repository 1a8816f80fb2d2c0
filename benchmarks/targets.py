"""Measure every solver on every target network; draw how the gaps close.

    python benchmarks/targets.py DIRECTORY

DIRECTORY holds networks of the verification literature by the names below; absent ones
are left out with a line. Random networks are made here. ``results.jsonl``,
``results.md`` and ``convergence.png`` are written to ``--output``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import networks
from cases import header, memory_bytes, run, sentence, show, usable
from table import Table

from geolip import backend
from geolip.parameters import Seconds

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Target:
    """A network, what is asked about it, and what was aimed at.

    Parameters
    ----------
    file : str
        Its name in the folder, or that of a random network without a suffix.
    norm : str
        Input norm, or pair.
    accuracy : float
        The verified gap.
    units : int
        Time aimed at, in units of the machine.
    rows : str or list of int
        As `geolip.certify` takes them.
    solvers : tuple of str
        Only those; all that are usable if empty.
    """

    file: str
    norm: str
    accuracy: float
    units: int = 0
    rows: str | list[int] = "all"
    solvers: tuple[str, ...] = ()


TARGETS = (
    Target("lipsdp_mnist_weights.mat", "inf", 1e-6, 3),
    Target("lipsdp_mnist_weights.mat", "inf", 1e-6, 0, [0], ("lifted", "auto")),
    Target("lipsdp_mnist_weights.mat", "inf", 1e-4, 0, [0], ("scs",)),
    Target("eclipse_mnist_lyr3n100.mat", "inf", 1e-5, 30),
    Target("eclipse_mnist_lyr3n100.mat", "2", 1e-5, 30),
    Target("mnist-net_256x2.onnx", "inf", 1e-4, 120),
    Target("mnist-net_256x4.onnx", "inf", 1e-4, 300),
    Target("he_784_1024_1024_10", "inf", 1e-3, 200, "largest"),
    Target("he_5_60x29_2", "2", 1e-3, 120),
    Target("he_5_60x29_2", "inf", 1e-3, 120),
    Target("unit_64x65", "2", 1e-2, 400),
    Target("unit_80x101", "2", 1e-1, 1200),
    Target("cifar_base_kw.onnx", "inf", 1e-3, 1500, "largest"),
    Target("resnet_2b.onnx", "inf", 1e-3, 1500, "largest"),
    Target("convSmallRELU__Point.onnx", "inf", 1e-3, 1500, "largest"),
    Target("ffnnSIGMOID__Point_6x200.onnx", "inf", 1e-4, 300),
    Target("ACASXU_run2a_1_1_batch_2000.onnx", "inf", 1e-4, 60),
)
# Solvers whose value is one of a feasible point.
_FEASIBLE = ("auto", "lifted", "interior")
# Seconds of a case that names its solvers; the others get less.
_ALONE = 300.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--solver", "solvers", multiple=True, type=click.Choice(backend.names()))
@click.option(
    "--time-limit",
    type=Seconds(),
    default="30s",
    show_default=True,
    help="For solvers other than auto.",
)
@click.option("--only", help="Take only networks whose names contain this.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=_HERE / "out" / "solvers",
    help="Folder for the results; default benchmarks/out/solvers.",
)
def main(
    folder: Path,
    solvers: Sequence[str],
    time_limit: float,
    only: str | None,
    output: Path,
) -> None:
    """Measure every usable solver on every target network found in FOLDER."""
    solvers = solvers or usable()
    head = header(time_limit=time_limit)
    table = Table(output, head, targets=True)
    records = []
    networks.write(output / "networks")
    for target in TARGETS:
        path = _path(target, folder, output / "networks")
        if path is None or (only and only not in target.file):
            continue
        for solver in solvers:
            if target.solvers and solver not in target.solvers:
                continue
            limit = _limit(target, solver, time_limit, head["unit_seconds"])
            rows = "one row" if isinstance(target.rows, list) else target.rows
            show(f"{path.name}, norm {target.norm}, {rows}, {solver} ... ", nl=False)
            task = {
                "model": str(path),
                "norm": target.norm,
                "solver": solver,
                "rows": target.rows if target.norm != "2" else "all",
                "accuracy": target.accuracy,
                "time_limit": limit,
                "memory_limit": memory_bytes(None),
            }
            outcome = run(task, 1.5 * limit + 30)
            record = {"network": path.stem, **task, "units": target.units, **outcome}
            del record["model"]
            if "report" in outcome:
                # Where the file lay is nobody's business.
                outcome["report"]["model"]["path"] = path.name
            table.add(record)
            records.append(record)
            show(sentence(outcome))
    click.echo(table.text())
    _draw(records, output / "convergence.png")


def _path(target: Target, folder: Path, made: Path) -> Path | None:
    if not Path(target.file).suffix:
        return made / f"{target.file}.onnx"
    path = folder / target.file
    if path.exists():
        return path
    show(f"left out: {target.file} is not in {folder}")
    return None


def _limit(target: Target, solver: str, time_limit: float, unit: float) -> float:
    if target.solvers:
        return _ALONE
    return max(2 * target.units * unit, time_limit) if solver == "auto" else time_limit


def _draw(records: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Draw the gap of the first output against time, a panel for each network."""
    try:
        import matplotlib.pyplot as plt
        from matplotlib.lines import Line2D
    except ModuleNotFoundError:
        show("no picture: matplotlib is not installed (pip install geolip[report])")
        return
    panels: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        if record.get("looks") and record["units"]:
            panels.setdefault((record["network"], record["norm"]), []).append(record)
    if not panels:
        return
    names = list(dict.fromkeys(record["solver"] for record in records))
    columns = min(4, len(panels))
    lines = -(-len(panels) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(3.4 * columns, 2.5 * lines), squeeze=False
    )
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis, ((network, norm), cases) in zip(axes.flat, panels.items(), strict=False):
        label = cases[0]["looks"][0][0]
        # Feasible values of the relaxation: the best of them is nearest its optimum.
        best = (
            max(
                look[2]
                for case in cases
                if case["solver"] in _FEASIBLE
                for look in case["looks"]
                if look[0] == label and look[2]
            )
            if any(c["solver"] in _FEASIBLE for c in cases)
            else None
        )
        if best is None:
            continue
        for case in cases:
            looks = [look for look in case["looks"] if look[0] == label]
            gaps = [max(look[3] / best - 1, 1e-9) for look in looks]
            axis.loglog(
                [look[1] for look in looks],
                gaps,
                "o-",
                markersize=3,
                color=f"C{names.index(case['solver'])}",
                label=case["solver"],
            )
        axis.axhline(cases[0]["accuracy"], color="0.7", linewidth=0.8)
        axis.set_title(f"{network}, l_{norm}", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    handles = [
        Line2D([], [], marker="o", markersize=3, color=f"C{i}", label=name)
        for i, name in enumerate(names)
    ]
    figure.legend(handles=handles, ncols=len(names), loc="lower center", fontsize=8)
    figure.supxlabel("seconds", fontsize=9, y=0.03)
    figure.supylabel("bound / best value of the relaxation - 1", fontsize=9)
    figure.tight_layout(rect=(0.01, 0.05, 1, 1))
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
