"""Certify networks with solvers, every case in a process of its own; write a table."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import click
from cases import header, memory_bytes, run, sentence, show, usable
from table import Table

from geolip import backend, norms
from geolip.errors import GeolipError
from geolip.parameters import Rows, Seconds

_HERE = Path(__file__).parent
_SHIPPED = _HERE.parent / "models"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option("--solver", "solvers", multiple=True, type=click.Choice(backend.names()))
@click.option("--norm", "pairs", multiple=True, default=("inf", "2"), show_default=True)
@click.option(
    "--rows",
    type=Rows(),
    default="all",
    show_default=True,
    help="Outputs to bound where the output norm is inf, such as 0,3.",
)
@click.option("--accuracy", type=float, default=1e-4, show_default=True)
@click.option("--time-limit", type=Seconds(), default="2m", show_default=True)
@click.option(
    "--kill-after",
    type=Seconds(),
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
    solvers = solvers or usable()
    try:
        rowwise = {pair: norms.parse(pair).rowwise for pair in pairs}
    except GeolipError as error:
        raise click.UsageError(str(error)) from error
    table = Table(output, header(accuracy=accuracy, time_limit=time_limit))
    cases = list(product(models, pairs, solvers))
    for number, (model, pair, solver) in enumerate(cases, 1):
        name = Path(model).name
        show(f"[{number}/{len(cases)}] {name}, norm {pair}, {solver} ... ", nl=False)
        task = {
            "model": model,
            "norm": pair,
            "solver": solver,
            "rows": rows if rowwise[pair] else "all",
            "accuracy": accuracy,
            "time_limit": time_limit,
            "memory_limit": memory_bytes(memory_limit),
        }
        outcome = run(task, kill_after or 3 * time_limit + 60)
        table.add({"network": name, **task, **outcome})
        show(sentence(outcome))
    click.echo(table.text())


if __name__ == "__main__":
    main()
