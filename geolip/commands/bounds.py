"""``geolip bounds``: every method's bound of one Lipschitz constant."""

import importlib.util
import signal
import sys
from pathlib import Path

import click

from geolip import memory, options
from geolip.errors import UsageError
from geolip.files import check_writable, write_whole
from geolip.parameters import Seconds
from geolip.progress import ProgressLine

_CONTRADICTION = 1


@click.command()
@click.argument("model", type=click.Path())
@options.tensors
@options.norm
@click.option(
    "--method", "only", multiple=True, help="A method's name; repeat it for more."
)
@click.option(
    "--time-limit",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="For all methods together: 90, 10m, 1.5h.",
)
@click.option(
    "--accuracy",
    type=float,
    default=1e-4,
    show_default=True,
    help="Relative gap at which methods that get better with time may stop.",
)
@options.seed
@options.as_json
@click.option("--output", type=click.Path(), help="Write the JSON object to a file.")
@click.option("--plot", type=click.Path(), help="Draw values against seconds: a PNG.")
@options.limits
@options.quiet
def bounds(
    model: str,
    input_name: str | None,
    output_name: str | None,
    norm: str,
    only: tuple[str, ...],
    time_limit: float,
    accuracy: float,
    seed: int,
    as_json: bool,
    output: str | None,
    plot: str | None,
    limits: options.Pairs,
    quiet: bool,
) -> None:
    """Bound the Lipschitz constant of MODEL with every method, side by side.

    Exit code 1 if a lower bound is above an upper one, which no correct run can give.
    """
    # A polite kill is an interrupt: what the methods said by then is reported.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    memory.prepare()
    for file in (output, plot):
        if file is not None:
            check_writable(Path(file))
    if plot is not None and importlib.util.find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib: pip install 'geolip[report]'")
    from geolip.comparing import compare
    from geolip.importer import Limits

    with ProgressLine(quiet=quiet) as line:
        comparison = compare(
            model,
            norm,
            only=only,
            input_name=input_name,
            output_name=output_name,
            accuracy=accuracy,
            time_limit=time_limit,
            seed=seed,
            limits=Limits.of(dict(limits)),
            progress=line.show,
        )
    click.echo(comparison.to_json() if as_json else str(comparison))
    if output is not None:
        write_whole(Path(output), comparison.to_json() + "\n")
    if plot is not None:
        from geolip.plot import picture

        write_whole(Path(plot), picture(comparison))
    if comparison.contradiction is not None:
        click.echo(f"geolip: CONTRADICTION: {comparison.contradiction}", err=True)
        sys.exit(_CONTRADICTION)
