"""``geolip solvers``: what can solve here."""

import json

import click

from geolip import backend, options


@click.command()
@options.as_json
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
