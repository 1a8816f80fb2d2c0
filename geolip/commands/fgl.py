"""``geolip fgl``: the formal constant of a small network."""

import signal
from typing import Any

import click

from geolip import memory, options
from geolip.parameters import Seconds
from geolip.progress import ProgressLine


@click.command()
@click.argument("model", type=click.Path())
@options.tensors
@options.norm
@click.option(
    "--accuracy",
    type=float,
    default=1e-6,
    show_default=True,
    help="Relative gap at which the constant counts as exact.",
)
@click.option("--time-limit", type=Seconds(), help="Of the search: 90, 10m, 1.5h.")
@click.option(
    "--state",
    type=click.Path(),
    help="Keep the search in a file, and go on from it if it is there.",
)
@options.seed
@options.as_json
@options.limits
@options.quiet
def fgl(
    model: str,
    norm: str,
    as_json: bool,
    limits: options.Pairs,
    quiet: bool,
    **search: Any,
) -> None:
    """Find the formal constant of a small MODEL by branch and bound."""
    # A polite kill is an interrupt: the bounds by then are reported.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    memory.prepare()
    from geolip.formal import exact_fgl
    from geolip.importer import Limits

    with ProgressLine(quiet=quiet) as line:
        report = exact_fgl(
            model,
            norm,
            limits=Limits.of(dict(limits)),
            progress=line.show,
            **search,
        )
    click.echo(report.to_json() if as_json else str(report))
