"""What a check of a certificate found, for people and for programs."""

import json
from dataclasses import asdict, dataclass

from geolip.decimals import round_up

SCHEMA = "geolip.verdict/1"


@dataclass(frozen=True)
class Verdict:
    """What a certificate was found to prove.

    Parameters
    ----------
    bound : float
        The proved bound.
    trust : str
        How it was checked, now.
    claim : str
        What is proved, word for word.
    seconds : float
        That the check took, the reading of the model included.
    notes : tuple of str
        What the user should know.
    """

    bound: float
    trust: str
    claim: str
    seconds: float
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """Return the verdict as one JSON object."""
        content = {"schema": SCHEMA, "accepted": True, **asdict(self)}
        return json.dumps(content, indent=2, allow_nan=False)

    def __str__(self) -> str:
        lines = [
            f"accepted: {self.claim}",
            f"bound {round_up(self.bound)}, {self.trust}, {self.seconds:.2f} s",
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])
