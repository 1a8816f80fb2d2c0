"""What reading a model may take: a hostile file can ask for any amount."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from geolip import memory
from geolip.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """The most that reading a model from a file may take, where Linux can enforce it.

    Parameters
    ----------
    memory : float, optional
        Bytes; by default a share of what is available.
    seconds : float
        Of the clock.

    Raises
    ------
    UsageError
        If one is not positive and finite.
    """

    memory: float | None = None
    seconds: float = 300.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if not isinstance(value, Real) or not 0 < float(value) < float("inf"):
                raise UsageError(
                    f"the limit {field.name} must be positive and finite, found "
                    f"{value!r}"
                )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Limits":
        """Return the limits with these names and values.

        Raises
        ------
        UsageError
            If there is no such limit, or a value is not positive and finite.
        """
        names = [field.name for field in fields(cls)]
        for name in given:
            if name not in names:
                raise UsageError(
                    f"there is no limit {name!r}: expected {' or '.join(names)}"
                )
        return cls(**given)

    @property
    def bytes(self) -> float | None:
        """The memory, None if nobody knows how much there is."""
        return memory.to_plan_with() if self.memory is None else float(self.memory)
