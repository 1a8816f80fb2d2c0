"""Measure how long `geolip verify` takes beside `geolip certify`, and its memory.

    python benchmarks/verifying.py [--norm inf] [--repeat 3] FILE ...

Prints a row of a Markdown table for each file: the median seconds of both, where they
alternate in one process after a run that is not counted, their ratio, and the memory
of another process that only verifies. Both include reading the model.
"""

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path

import click

import geolip
from geolip import memory
from geolip.certificate import Certificate
from geolip.checking import check

HEAD = "| network | proofs | certify s | verify s | share | verify MB |"
ROW = "| {} | {} | {:.2f} | {:.2f} | {:.0%} | {} |"


def seconds(action: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def megabytes(model: str, certificate: str) -> str:
    """Verify, and return the process's largest memory, where Linux tells it."""
    check(model, Certificate.load(certificate))
    status = Path("/proc/self/status")
    if not status.exists():
        return "-"
    # Not getrusage, whose maximum begins with that of the process that started this.
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
    return "-" if found is None else str(int(found[1]) // 1000)


def row(model: str, norm: str, repeat: int) -> str:
    """Return the row of one network."""
    found = geolip.certify(model, norm=norm).certificate
    if found is None:
        raise click.ClickException(f"{model}: there is no certificate")
    certifying, verifying = [], []
    for _ in range(repeat):
        certifying.append(seconds(lambda: geolip.certify(model, norm=norm)))
        verifying.append(seconds(lambda: check(model, found)))
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "certificate.json")
        found.save(file)
        with get_context("spawn").Pool(1) as pool:
            used = pool.apply(megabytes, (model, file))
    certified, verified = map(statistics.median, (certifying, verifying))
    share = verified / certified
    name = Path(model).stem
    return ROW.format(name, len(found.proofs), certified, verified, share, used)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, required=True)
@click.option("--norm", default="inf", show_default=True)
@click.option("--repeat", type=click.IntRange(1), default=3, show_default=True)
def main(files: Sequence[str], norm: str, repeat: int) -> None:
    """Print a table."""
    # As the commands do.
    memory.keep_freed()
    click.echo(f"{HEAD}\n|---|---|---|---|---|---|")
    for file in files:
        click.echo(row(file, norm, repeat))


if __name__ == "__main__":
    main()
