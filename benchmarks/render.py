"""Write the report and the plots of a comparison from its results.

python benchmarks/render.py benchmarks/results/comparison
python benchmarks/render.py benchmarks/results/comparison --readme README.md
"""

from collections.abc import Sequence
from pathlib import Path

import click
from cases import show
from comparison import analysis, plots, report, summary
from comparison.findings import findings
from comparison.records import Record, Records
from comparison.tools import Kind

# In the order of the report; pairs come after.
_NORMS = ("inf", "2", "1")


def write(folder: Path) -> str:
    """Write ``report.md`` and the plots; return the findings.

    ``results.jsonl`` is written anew with the ratios of every case.
    """
    records = Records.read(folder / "results.jsonl")
    records.rewrite(_current(records))
    (folder / "report.md").write_text(report.text(records.runs, records.cases))
    try:
        plots.draw(records.cases, folder)
    except ModuleNotFoundError:
        show("no plots: matplotlib is not installed (pip install geolip[report])")
    return findings(records.cases)


def _current(records: Records) -> Sequence[Record]:
    """Return the cases with ratios, in an order that does not depend on their times.

    Networks stay in the order in which every tool was asked about them.
    """
    units = {run["run"]: run["unit_seconds"] for run in records.runs}
    cases = analysis.with_ratios(records.latest(), units)
    kinds = [kind.value for kind in Kind]
    return sorted(
        cases,
        key=lambda case: (
            case["family"],
            _NORMS.index(case["norm"]) if case["norm"] in _NORMS else len(_NORMS),
            kinds.index(case["kind"]),
            case["tool"],
        ),
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--readme",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also put the short table into this page, between its marks.",
)
def main(folder: Path, readme: Path | None) -> None:
    """Write report.md, values.png and time.png beside FOLDER's results.jsonl."""
    click.echo(write(folder))
    if readme is not None:
        cases = Records.read(folder / "results.jsonl").cases
        readme.write_text(summary.placed(readme.read_text(), cases))


if __name__ == "__main__":
    main()
