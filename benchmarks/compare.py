"""Compare geolip's methods, published formulations and peers on families of networks.

    python benchmarks/compare.py
    python benchmarks/compare.py --full --time-limit 5m
    python benchmarks/compare.py --networks DIRECTORY --family shipped --only GeoLIP

What was finished by the same commit is not run again, so that a run may be interrupted.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

# Cases run side by side, each with one thread; those that read this inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import click
import families
import render
from cases import header, memory_bytes, show
from comparison.records import Records
from comparison.running import Conditions, chains, work
from comparison.tools import all_tools
from families import Family, Folder

from geolip.parameters import Seconds

_HERE = Path(__file__).parent
_QUICK, _FULL = 5.0, 300.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--full", is_flag=True, help="More and larger networks, more time.")
@click.option("--family", "chosen", multiple=True, type=click.Choice(families.names()))
@click.option(
    "--networks",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Also the ONNX files of this folder; alone if no family is named.",
)
@click.option("--only", help="Only tools whose names contain this.")
@click.option("--time-limit", type=Seconds(), help="Of a case; 5s, or 5m if --full.")
@click.option(
    "--memory-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="GB of address space for each case; default 0.8 of the memory, shared.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True
)
@click.option("--fresh", is_flag=True, help="Forget what is finished.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=_HERE / "out" / "comparison",
    help="Folder for results.jsonl, report.md and plots; default benchmarks/out/.",
)
def main(
    full: bool,
    chosen: Sequence[str],
    folders: Sequence[Path],
    only: str | None,
    time_limit: float | None,
    memory_limit: float | None,
    jobs: int,
    fresh: bool,
    output: Path,
) -> None:
    """Run every tool on every network of every family, and write a report."""
    limit = time_limit or (_FULL if full else _QUICK)
    names = chosen or ([] if folders else families.names())
    asked: list[tuple[str, Family]] = [
        *((name, families.get(name)) for name in names),
        *((folder.name, Folder(folder)) for folder in folders),
    ]
    tools = [t for t in all_tools() if not only or only.lower() in t.title.lower()]
    target = output / "results.jsonl"
    # The commit is asked for before a file that belongs to it is changed.
    machine = header(time_limit=limit, jobs=jobs, full=full)
    if fresh:
        target.unlink(missing_ok=True)
    records = Records.read(target)
    forgotten = records.keep(machine["commit"])
    if forgotten:
        show(f"forgets {forgotten} cases of other commits")
    number = 1 + max((run["run"] for run in records.runs), default=0)
    memory = memory_bytes(memory_limit) // (1 if memory_limit else jobs)
    todo = []
    for name, family in asked:
        facts = {
            "family": name,
            "time_limit": limit,
            "commit": machine["commit"],
            "run": number,
        }
        conditions = Conditions(facts, limit, memory, bool(family.GROWS))
        folder = _HERE / "out" / "networks" / name
        todo += [(cases, conditions) for cases in chains(family, full, tools, folder)]
    records.add({**machine, "run": number})
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(work, cases, records, c) for cases, c in todo]
        try:
            for future in as_completed(futures):
                future.result()
        except KeyboardInterrupt:
            records.close()
            show("interrupted; run again to go on")
            # Threads wait for processes; both end with this one.
            os._exit(130)
    click.echo(render.write(output))


if __name__ == "__main__":
    main()
