"""``geolip verify``: whether a certificate proves its claim."""

import click

from geolip import memory, options
from geolip.progress import ProgressLine


@click.command()
@click.argument("model", type=click.Path())
@click.argument("certificate", type=click.Path())
@click.option("--float", "in_float", is_flag=True, help="Check in float64, faster.")
@options.as_json
@options.limits
@options.quiet
def verify(
    model: str,
    certificate: str,
    in_float: bool,
    as_json: bool,
    limits: options.Pairs,
    quiet: bool,
) -> None:
    """Check that CERTIFICATE proves its claim about MODEL; exit 4 if not."""
    memory.prepare()
    from geolip import checking
    from geolip.certificate import Certificate
    from geolip.importer import Limits

    with ProgressLine(quiet=quiet) as line:
        verdict = checking.check(
            model,
            Certificate.load(certificate),
            exact=not in_float,
            limits=Limits.of(dict(limits)),
            progress=line.show,
        )
    click.echo(verdict.to_json() if as_json else str(verdict))
