"""What is verified so far, on disk, so that a run that is killed loses none of it."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from geolip.errors import UsageError
from geolip.files import is_special, write_whole
from geolip.incumbent import Look

SCHEMA = "geolip.partial/1"


class Journal:
    """A file ``<report>.partial`` that is there from the first bound to the report.

    Parameters
    ----------
    report : str or None
        The report's path; without one, or for a device, nothing is written.
    facts : mapping of str to str
        What the bounds are about.
    """

    def __init__(self, report: str | None, facts: Mapping[str, str]) -> None:
        kept = report is not None and not is_special(Path(report))
        self._path = Path(f"{report}.partial") if kept else None
        self._facts = dict(facts)
        self._bounds: dict[str, float] = {}
        # What an earlier run left is not about this one.
        self.close()

    def note(self, what: object) -> None:
        """Take note of a look at a bound; write if it is verified and better."""
        if self._path is None or not isinstance(what, Look):
            return
        if what.verified < self._bounds.get(what.label, float("inf")):
            self._bounds[what.label] = what.verified
            content = {"schema": SCHEMA, **self._facts, "verified": self._bounds}
            # A journal that cannot be written is no reason to stop the work.
            with contextlib.suppress(UsageError):
                write_whole(self._path, json.dumps(content, indent=2) + "\n")

    def close(self) -> None:
        """Remove the file: the report is written."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
