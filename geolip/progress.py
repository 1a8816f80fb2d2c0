"""What a long command shows of its progress."""

import sys
from types import TracebackType
from typing import Self

import click


class ProgressLine:
    """One line on stderr that overwrites itself, and is wiped at the end.

    Parameters
    ----------
    quiet : bool
        Show nothing; so it is anyway where stderr is no terminal.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._enabled, self._width = sys.stderr.isatty() and not quiet, 0

    def __enter__(self) -> Self:
        return self

    def show(self, what: object) -> None:
        """Show this in place of what was shown before."""
        if self._enabled:
            text = str(what)
            click.echo("\r" + text.ljust(self._width), nl=False, err=True)
            self._width = len(text)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._enabled and self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
