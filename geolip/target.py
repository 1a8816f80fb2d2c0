"""What one bound is about."""

from dataclasses import dataclass

from geolip.backend import Status
from geolip.report import OutputReport
from geolip.sectors import SectorNetwork


@dataclass(frozen=True)
class Target:
    """What one bound is about: one output, or all of them together.

    Parameters
    ----------
    name : str
        For people.
    index : int or None
        The output's flat index; None for all.
    sectors : SectorNetwork
        The network of differences with this output alone.
    """

    name: str
    index: int | None
    sectors: SectorNetwork

    @property
    def label(self) -> str:
        """What notes and progress call it."""
        return f"output {self.name}"

    def constant(self) -> OutputReport:
        """Return the report of an output that does not depend on the input."""
        return OutputReport(
            name=self.name,
            index=self.index,
            bound=0.0,
            source="constant",
            lower_bound=0.0,
            fgl_lower_bound=0.0,
            relaxation_value=0.0,
            status=Status.TRIVIAL.value,
            iterations=0,
        )
