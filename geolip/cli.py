"""The command line: results on stdout, progress on stderr and only on a terminal.

Exit codes: 0 certified; 1 unexpected; 2 wrong usage; 3 the model cannot be read; 4
nothing could be certified, or the solver is not usable; 5 certified but above
``--max``.
"""

import json
import math
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import click

from geolip import backend, memory
from geolip.errors import (
    CertificationError,
    GeolipError,
    InterruptedRunError,
    OutOfMemoryError,
    UnsupportedModelError,
    UsageError,
)
from geolip.files import check_writable, write_whole
from geolip.parameters import KeyValue, Region, Rows, Seconds

_ABOVE_MAX = 5
_Options: TypeAlias = tuple[tuple[str, Any], ...]


class _Group(click.Group):
    """Turns geolip's errors into one message and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GeolipError as error:
            _fail(error)
        except MemoryError:
            _fail(
                OutOfMemoryError(
                    "out of memory: give the process more, or run it on fewer threads"
                )
            )
        except KeyboardInterrupt:
            _fail(InterruptedRunError("interrupted before the end"))


def _fail(error: GeolipError) -> NoReturn:
    click.echo(f"geolip: {error}", err=True)
    sys.exit(error.exit_code)


_limits = click.option(
    "--limit",
    "limits",
    type=KeyValue(),
    multiple=True,
    help="On reading MODEL: memory=BYTES, seconds=NUMBER.",
)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="geolip")
def main() -> None:
    """Certified Lipschitz constants of neural networks."""


def _tensors(command: Any) -> Any:
    """Add the options that name the two ends of the network."""
    options = (
        click.option("--input-name", help="Begin at this tensor of the graph."),
        click.option("--output-name", help="End at this one, such as the logits."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@click.argument("model", type=click.Path())
@_tensors
@click.option(
    "--norm", default="inf", show_default=True, help="inf, 2, or a pair such as 2:inf."
)
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
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("-S", "options", type=KeyValue(), multiple=True, help="Solver option.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
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
@_limits
@click.option("-v", "--verbose", is_flag=True, help="Show the solver's own log.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
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
    options: _Options,
    as_json: bool,
    output: str | None,
    certificate: str | None,
    exact: bool,
    float_exec: tuple[float, float] | None,
    largest: float | None,
    limits: _Options,
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
    line = _ProgressLine(enabled=sys.stderr.isatty() and not quiet)
    journal = Journal(output, {"model": model, "norm": norm})

    def show(what: object) -> None:
        line.show(what)
        journal.note(what)

    try:
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
            solver_options=dict(options),
            verbose=verbose,
            exact=exact,
            float_exec=float_exec,
            limits=Limits.of(dict(limits)),
            progress=show,
        )
    finally:
        line.clear()
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


@main.command()
@click.argument("model", type=click.Path())
@_tensors
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_limits
def inspect(
    model: str,
    input_name: str | None,
    output_name: str | None,
    as_json: bool,
    limits: _Options,
) -> None:
    """Show the layers of MODEL; exit 3 with all nodes if some are not supported."""
    from geolip import importer, inspection

    chosen = importer.Limits.of(dict(limits))
    ends = {"input_name": input_name, "output_name": output_name}
    fates = importer.survey(model, chosen, **ends)
    try:
        network = importer.load(model, chosen, **ends)
    except UnsupportedModelError:
        known = json.dumps(inspection.refusals(fates), indent=2)
        click.echo(known if as_json else inspection.nodes_table(fates))
        raise
    if as_json:
        click.echo(json.dumps(inspection.describe(network, fates), indent=2))
    else:
        click.echo(inspection.table(network, fates))


@main.command()
@click.argument("model", type=click.Path())
@click.argument("certificate", type=click.Path())
@click.option("--float", "in_float", is_flag=True, help="Check in float64, faster.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_limits
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def verify(
    model: str,
    certificate: str,
    in_float: bool,
    as_json: bool,
    limits: _Options,
    quiet: bool,
) -> None:
    """Check that CERTIFICATE proves its claim about MODEL; exit 4 if not."""
    memory.prepare()
    from geolip import checking
    from geolip.certificate import Certificate
    from geolip.importer import Limits

    line = _ProgressLine(enabled=sys.stderr.isatty() and not quiet)
    try:
        verdict = checking.check(
            model,
            Certificate.load(certificate),
            exact=not in_float,
            limits=Limits.of(dict(limits)),
            progress=line.show,
        )
    finally:
        line.clear()
    click.echo(verdict.to_json() if as_json else str(verdict))


@main.command()
@click.argument("model", type=click.Path())
@_tensors
@click.option(
    "--norm", default="inf", show_default=True, help="inf, 2, or a pair such as 2:inf."
)
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
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_limits
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def fgl(
    model: str,
    norm: str,
    time_limit: float | None,
    as_json: bool,
    limits: _Options,
    quiet: bool,
    **options: Any,
) -> None:
    """Find the formal constant of a small MODEL by branch and bound."""
    # A polite kill is an interrupt: the bounds by then are reported.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    memory.prepare()
    from geolip.formal import exact_fgl
    from geolip.importer import Limits

    line = _ProgressLine(enabled=sys.stderr.isatty() and not quiet)
    try:
        report = exact_fgl(
            model,
            norm,
            time_limit=time_limit,
            limits=Limits.of(dict(limits)),
            progress=line.show,
            **options,
        )
    finally:
        line.clear()
    click.echo(report.to_json() if as_json else str(report))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def solvers(as_json: bool) -> None:
    """List the solvers: usable, or why not."""
    states = {name: backend.get(name).usable() for name in backend.names()}
    if as_json:
        rows = [
            {"name": n, "usable": r is None, "reason": r} for n, r in states.items()
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(map(len, states))
    for name, reason in states.items():
        click.echo(f"{name.ljust(width)}  {reason or 'usable'}")


class _ProgressLine:
    """One line on stderr that overwrites itself."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled, self._width = enabled, 0

    def show(self, what: object) -> None:
        if self._enabled:
            text = str(what)
            click.echo("\r" + text.ljust(self._width), nl=False, err=True)
            self._width = len(text)

    def clear(self) -> None:
        if self._enabled and self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
