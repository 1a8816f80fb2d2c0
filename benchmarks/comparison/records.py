"""The results as JSON lines: appended case by case, read again, resumed.

A line with ``unit_seconds`` says what the machine was for the lines after it that carry
its number as ``run``; every other line is a case.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

Record = Mapping[str, Any]

# What makes two cases the same: also the code, as a method may have been changed.
KEY = ("family", "network", "sha256", "norm", "tool", "time_limit", "commit")


@dataclass
class Records:
    """All cases of a file.

    Parameters
    ----------
    path : Path
        The file, which need not exist yet.
    runs : list of mapping
        The machines, see `machine.describe`, and settings.
    cases : list of mapping
        What was found; the last of equal cases counts.
    """

    path: Path
    runs: list[Record] = field(default_factory=list)
    cases: list[Record] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _closed: bool = False

    @staticmethod
    def read(path: Path) -> "Records":
        """Return what a file holds; a last line that was cut short is left out."""
        records = Records(path)
        lines = path.read_text().splitlines() if path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                if number < len(lines):
                    raise
                break
            records._hold(record)
        return records

    def add(self, record: Record) -> None:
        """Write one more line; it is in the file when this returns."""
        with self._lock:
            if self._closed:
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")
            self._hold(record)

    def close(self) -> None:
        """Take nothing more: what comes after an interruption is no answer."""
        with self._lock:
            self._closed = True

    def rewrite(self, cases: Sequence[Record]) -> None:
        """Replace the file by one with these cases, at once."""
        self.cases = list(cases)
        used = {case["run"] for case in self.cases}
        self.runs = [run for run in self.runs if run["run"] in used]
        draft = self.path.with_suffix(".partial")
        lines = [json.dumps(record) + "\n" for record in (*self.runs, *self.cases)]
        draft.write_text("".join(lines))
        draft.replace(self.path)

    def latest(self) -> list[Record]:
        """Return the last case of every tool, network and norm."""
        return list({_case(case): case for case in self.cases}.values())

    def keep(self, commit: str | None) -> int:
        """Forget the cases of other commits; return how many those were."""
        others = [case for case in self.cases if case["commit"] != commit]
        if others:
            self.rewrite([case for case in self.cases if case["commit"] == commit])
        return len(others)

    def finished(self) -> dict[tuple[Any, ...], Record]:
        """Return the cases by what makes them the same."""
        return {key(record): record for record in self.cases}

    def _hold(self, record: Record) -> None:
        (self.runs if "unit_seconds" in record else self.cases).append(record)


def _case(case: Record) -> tuple[Any, ...]:
    return tuple(case[name] for name in ("family", "network", "norm", "tool"))


def key(case: Record) -> tuple[Any, ...]:
    """Return what a case is recognised by."""
    return tuple(case.get(name) for name in KEY)
