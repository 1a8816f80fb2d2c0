"""``geolip inspect``: what the importer makes of a file."""

import json

import click

from geolip import options
from geolip.errors import UnsupportedModelError


@click.command()
@click.argument("model", type=click.Path())
@options.tensors
@options.as_json
@options.limits
def inspect(
    model: str,
    input_name: str | None,
    output_name: str | None,
    as_json: bool,
    limits: options.Pairs,
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
