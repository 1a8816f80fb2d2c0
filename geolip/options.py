"""Options that several commands of the command line have in common."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import click

from geolip.parameters import KeyValue

Pairs: TypeAlias = tuple[tuple[str, Any], ...]
_Command = TypeVar("_Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
norm = click.option(
    "--norm",
    default="inf",
    show_default=True,
    help="1, 2, inf, or a pair such as 2:inf.",
)
seed = click.option("--seed", type=int, default=0, show_default=True)
limits = click.option(
    "--limit",
    "limits",
    type=KeyValue(),
    multiple=True,
    help="On reading MODEL: memory=BYTES, seconds=NUMBER.",
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")


def tensors(command: _Command) -> _Command:
    """Add the options that name the two ends of the network."""
    begin = click.option("--input-name", help="Begin at this tensor of the graph.")
    end = click.option("--output-name", help="End at this one, such as the logits.")
    return begin(end(command))
