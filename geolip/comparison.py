"""What all methods say of one Lipschitz constant, side by side.

Numbers are stored as computed. Printed decimals of upper bounds are rounded up, of
lower bounds down.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from geolip.decimals import round_down, round_up
from geolip.methods import Answer, Label
from geolip.report import ModelSummary

SCHEMA = "geolip.bounds/1"


@dataclass(frozen=True)
class Row:
    """A method that has an answer.

    Parameters
    ----------
    name, title : str
        The method's, for programs and for people.
    answer : Answer
        What it says.
    seconds : float
        That it took.
    """

    name: str
    title: str
    answer: Answer
    seconds: float

    @property
    def is_lower(self) -> bool:
        """Whether the formal constant is proved not to be below the number."""
        return self.answer.label in (Label.LOWER, Label.FGL_LOWER)

    @property
    def printed(self) -> str:
        """The number for people."""
        if self.answer.label.is_upper:
            return round_up(self.answer.value)
        if self.is_lower:
            return round_down(self.answer.value)
        return f"{self.answer.value:.7g}"


@dataclass(frozen=True)
class Silence:
    """A method that has no answer, and why."""

    name: str
    title: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """The result of `geolip.compare`.

    Parameters
    ----------
    model : ModelSummary
        What was bounded.
    input_norm, output_norm : str
        The norms' names.
    rows : tuple of Row
        Largest value first.
    silent : tuple of Silence
        Methods without an answer.
    settings : mapping
        What was asked for: accuracy, seed, time_limit.
    seconds : float
        In all.
    interrupted : bool
        Whether methods are missing because somebody stopped the run.
    notes : tuple of str
        What the user should know.
    versions : mapping of str to str
        Of geolip and the libraries that matter.
    threads : int
        That the linear algebra may use.
    """

    model: ModelSummary
    input_norm: str
    output_norm: str
    rows: tuple[Row, ...]
    silent: tuple[Silence, ...]
    settings: Mapping[str, Any]
    seconds: float
    interrupted: bool
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    threads: int

    @property
    def best_upper(self) -> Row | None:
        """The least upper bound."""
        upper = [row for row in self.rows if row.answer.label.is_upper]
        return min(upper, key=_value, default=None)

    @property
    def best_lower(self) -> Row | None:
        """The largest lower bound of the true constant, else of the formal one."""
        for label in (Label.LOWER, Label.FGL_LOWER):
            found = [row for row in self.rows if row.answer.label is label]
            if found:
                return max(found, key=_value)
        return None

    @property
    def contradiction(self) -> str | None:
        """One line about a lower bound above an upper one, None as it should be.

        Upper bounds here are about all slopes, so they are above both kinds of lower
        bounds; one that is not is a fault in geolip, or in the computer.
        """
        largest = max(filter(_is_lower, self.rows), key=_value, default=None)
        least = self.best_upper
        if largest is None or least is None:
            return None
        if largest.answer.value <= least.answer.value:
            return None
        return (
            f"{largest.name} proves at least {largest.answer.value!r} and {least.name} "
            f"at most {least.answer.value!r}: one of them is wrong, so trust no number "
            "of this run and report it"
        )

    def ratio(self, row: Row) -> float | None:
        """Return a row's value by the best lower bound, None where that is 0."""
        best = self.best_lower
        if best is None or not best.answer.value > 0:
            return None
        return row.answer.value / best.answer.value

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data, the content of ``--json``."""
        upper, lower = self.best_upper, self.best_lower
        return {
            "schema": SCHEMA,
            "model": asdict(self.model),
            "norm": {"input": self.input_norm, "output": self.output_norm},
            **self.settings,
            "best_upper": upper and upper.name,
            "best_lower": lower and lower.name,
            "contradiction": self.contradiction,
            "rows": [self._row(row) for row in self.rows],
            "silent": [asdict(silence) for silence in self.silent],
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "notes": list(self.notes),
            "versions": dict(self.versions),
            "threads": self.threads,
        }

    def _row(self, row: Row) -> dict[str, Any]:
        return {
            "name": row.name,
            "title": row.title,
            "label": row.answer.label.value,
            "value": row.answer.value,
            "ratio": self.ratio(row),
            "seconds": row.seconds,
            "note": row.answer.note,
        }

    def to_json(self) -> str:
        """Return the comparison as one JSON object; floats survive the round trip."""
        return json.dumps(self.as_dict(), indent=2, allow_nan=False)

    def __str__(self) -> str:
        norms = f"l_{self.input_norm} -> l_{self.output_norm}"
        blocks = [
            self.model.headline,
            f"Lipschitz constant, {norms}:",
            "",
            *self._table(),
        ]
        if self.silent:
            width = max(len(silence.name) for silence in self.silent)
            blocks += ["", "no answer:"]
            blocks += [f"  {s.name.ljust(width)}  {s.reason}" for s in self.silent]
        blocks += ["", f"{self.seconds:.1f} seconds"]
        blocks += [f"note: {note}" for note in self.notes]
        return "\n".join(blocks)

    def _table(self) -> list[str]:
        header = ("value", "/ lower", "seconds", "what", "method", "")
        cells = [header, *(self._cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(header))]
        lines = [_aligned(line, widths) for line in cells]
        ruler = "-" * max(map(len, lines))
        # Above the ruler is what the constant cannot exceed.
        above = [i for i, row in enumerate(self.rows, 2) if row.answer.label.is_upper]
        place = max(above, default=1)
        return [*lines[:place], ruler, *lines[place:]]

    def _cells(self, row: Row) -> tuple[str, ...]:
        ratio, note = self.ratio(row), row.answer.note
        return (
            row.printed,
            "-" if ratio is None else f"{ratio:.3f}",
            f"{row.seconds:.2f}",
            row.answer.label.value,
            row.name,
            f"{row.title} ({note})" if note else row.title,
        )


def ordered(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return rows with the largest value first; of equal ones, upper bounds."""
    return tuple(
        sorted(rows, key=lambda row: (-row.answer.value, row.is_lower, row.name))
    )


def _value(row: Row) -> float:
    return row.answer.value


def _is_lower(row: Row) -> bool:
    return row.is_lower


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers, texts = cells[:3], cells[3:]
    parts = [cell.rjust(width) for cell, width in zip(numbers, widths, strict=False)]
    parts += [cell.ljust(width) for cell, width in zip(texts, widths[3:], strict=True)]
    return "  ".join(parts).rstrip()
