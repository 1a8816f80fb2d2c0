"""The command line: results on stdout, progress on stderr and only on a terminal.

Exit codes: 0 certified; 1 unexpected, such as bounds that contradict each other; 2
wrong usage; 3 the model cannot be read; 4 nothing could be certified, or the solver is
not usable; 5 certified but above ``--max``.
"""

import sys
from typing import Any, NoReturn

import click

from geolip.commands import commands
from geolip.errors import GeolipError, InterruptedRunError, OutOfMemoryError


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


@click.group(
    cls=_Group,
    commands=commands(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="geolip")
def main() -> None:
    """Certified Lipschitz constants of neural networks."""
