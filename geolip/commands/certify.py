"""``geolip certify``: a certified bound of a network's Lipschitz constant."""

import math
import signal
import sys
from pathlib import Path

import click

from geolip import memory, options
from geolip.errors import CertificationError, UsageError
from geolip.files import check_writable, write_whole
from geolip.parameters import KeyValue, Region, Rows, Seconds
from geolip.progress import ProgressLine

_ABOVE_MAX = 5


@click.command()
@click.argument("model", type=click.Path())
@options.tensors
@options.norm
@click.option("--method", help="Relaxation; chosen by the norm if not given.")
@click.option("--solver", default="auto", show_default=True, help="See geolip solvers.")
@click.option(
    "--accuracy",
    type=float,
    default=1e-4,
    show_default=True,
    help="Relative verified gap at which the solver may stop.",
)
@click.option(
    "--time-limit",
    type=Seconds(),
    help="For all solves, and again for all lower bounds: 90, 10m, 1.5h.",
)
@click.option(
    "--rows",
    type=Rows(),
    default="largest",
    show_default=True,
    help="Outputs to settle: largest bounds all but settles one, all, or 0,3.",
)
@options.seed
@click.option(
    "-S", "solver_options", type=KeyValue(), multiple=True, help="Solver option."
)
@options.as_json
@click.option(
    "--output",
    type=click.Path(),
    help="Write the JSON object to a file too; on the way, what is verified is in "
    "FILE.partial.",
)
@click.option(
    "--certificate",
    type=click.Path(),
    help="Write what proves the bound to a file, for geolip verify.",
)
@click.option("--exact", is_flag=True, help="Check in exact integer arithmetic too.")
@click.option(
    "--float-exec",
    type=Region(),
    metavar="LOW,HIGH",
    help="Bound the error of a float32 execution too, for inputs between these.",
)
@click.option("--max", "largest", type=float, help="Exit 5 if the bound is above this.")
@options.limits
@click.option("-v", "--verbose", is_flag=True, help="Show the solver's own log.")
@options.quiet
def certify(
    model: str,
    input_name: str | None,
    output_name: str | None,
    norm: str,
    method: str | None,
    solver: str,
    accuracy: float,
    time_limit: float | None,
    rows: str | list[int],
    seed: int,
    solver_options: options.Pairs,
    as_json: bool,
    output: str | None,
    certificate: str | None,
    exact: bool,
    float_exec: tuple[float, float] | None,
    largest: float | None,
    limits: options.Pairs,
    verbose: bool,
    quiet: bool,
) -> None:
    """Certify the Lipschitz constant of MODEL: an ONNX, .mat, .npz or .nnet file."""
    # A polite kill is an interrupt: what is verified by then is reported.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    memory.prepare()
    from geolip.certification import certify as run
    from geolip.importer import Limits
    from geolip.journal import Journal

    for file in (output, certificate):
        if file is not None:
            check_writable(Path(file))
    if largest is not None and math.isnan(largest):
        raise UsageError("--max is not a number: give the largest bound to accept")
    journal = Journal(output, {"model": model, "norm": norm})
    with ProgressLine(quiet=quiet) as line:

        def show(what: object) -> None:
            line.show(what)
            journal.note(what)

        report = run(
            model,
            norm,
            input_name=input_name,
            output_name=output_name,
            method=method,
            solver=solver,
            accuracy=accuracy,
            time_limit=time_limit,
            rows=rows,
            seed=seed,
            solver_options=dict(solver_options),
            verbose=verbose,
            exact=exact,
            float_exec=float_exec,
            limits=Limits.of(dict(limits)),
            progress=show,
        )
    click.echo(report.to_json() if as_json else str(report))
    if output is not None:
        write_whole(Path(output), report.to_json() + "\n")
        journal.close()
    if certificate is not None:
        if report.certificate is None:
            raise CertificationError(
                "no certificate is written: the notes of the report say why"
            )
        report.certificate.save(certificate)
    if largest is not None and not report.bound <= largest:
        click.echo(f"geolip: the bound is above --max {largest:g}", err=True)
        sys.exit(_ABOVE_MAX)
