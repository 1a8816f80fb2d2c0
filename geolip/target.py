"""What one bound is about."""

from dataclasses import dataclass

from geolip.backend import Status
from geolip.pieces import Piece
from geolip.report import OutputReport


@dataclass(frozen=True)
class Target:
    """What one bound is about: the whole network, or a piece of it.

    Parameters
    ----------
    name : str
        For people.
    index : int or None
        The piece's index (`geolip.pieces`); None for the whole network.
    piece : Piece
        The network of differences and the norms.
    """

    name: str
    index: int | None
    piece: Piece

    @property
    def label(self) -> str:
        """What notes and progress call it."""
        return self.name if self.piece.norms.columnwise else f"output {self.name}"

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
