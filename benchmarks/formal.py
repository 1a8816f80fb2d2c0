"""Measure how far branch and bound comes on random networks and on files.

    python benchmarks/formal.py [--time-limit 10m] SIZES | FILE ...

SIZES such as 784,64,1 are the widths of a network with independent Gaussian weights of
variance 2 / inputs, in l_inf. Prints a row of a Markdown table for each: the gap of the
relaxation and of the search against the best slope pattern, regions, and seconds of the
processor beside those on the clock, as machines are shared.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import click
from networks import weights

import geolip
from geolip.parameters import Seconds

ROW = "| {} | {:.2%} | {} | {} | {:.0f} | {:.0f} |"


def row(name: str, seconds: float) -> str:
    """Return the row of one network."""
    known = Path(name).exists()
    try:
        model = name if known else weights("he", [int(n) for n in name.split(",")])
    except ValueError as error:
        raise click.UsageError(
            f"{name!r} is neither a file nor sizes such as 784,64,1"
        ) from error
    start = time.process_time()
    report = geolip.exact_fgl(model, "inf", time_limit=seconds)
    used = time.process_time() - start
    gap = "exact" if report.status == "exact" else f"{report.gap:.2%}"
    called = Path(name).name if known else name.replace(",", "-")
    first = report.first / report.lower - 1
    return ROW.format(called, first, gap, report.nodes, used, report.seconds)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("networks", nargs=-1, required=True)
@click.option("--time-limit", type=Seconds(), default="10m", show_default=True)
def main(networks: Sequence[str], time_limit: float) -> None:
    """Print a table."""
    click.echo("| network | relaxation | search | regions | processor s | clock s |")
    click.echo("|---|---|---|---|---|---|")
    for name in networks:
        click.echo(row(name, time_limit))


if __name__ == "__main__":
    main()
