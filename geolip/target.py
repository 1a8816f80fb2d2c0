"""What one bound is about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from geolip import pieces
from geolip.backend import Status
from geolip.errors import UsageError
from geolip.norms import NormPair
from geolip.pieces import Piece
from geolip.report import OutputReport
from geolip.sectors import SectorNetwork


@dataclass(frozen=True)
class Target:
    """What one bound is about: the whole network, or a piece of it.

    Parameters
    ----------
    sectors : SectorNetwork
        The whole network of differences.
    norms : NormPair
        In which.
    index : int or None
        The piece's index (`geolip.pieces`); None for the whole.
    """

    sectors: SectorNetwork
    norms: NormPair
    index: int | None = None

    @property
    def name(self) -> str:
        """For people."""
        if self.index is None:
            return "all"
        return pieces.name(self.sectors, self.norms, self.index)

    @property
    def label(self) -> str:
        """What notes and progress call it."""
        return f"{'input' if self.norms.columnwise else 'output'} {self.name}"

    @property
    def piece(self) -> Piece:
        """The network of differences of this piece alone; made anew every time."""
        if self.index is None:
            return Piece(self.sectors, self.norms)
        return pieces.piece(self.sectors, self.norms, self.index)

    @property
    def parts(self) -> "list[Target]":
        """What to bound instead where the bound is too large; none but for some."""
        if self.index is None:
            return []
        covered = pieces.covered(self.sectors, self.norms, self.index)
        return [replace(self, index=i) for i in covered if i != self.index]

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


def targets_of(sectors: SectorNetwork, pair: NormPair, rows: object) -> list[Target]:
    """Return what to bound, for the rows of the output that `certify` is asked for.

    Raises
    ------
    UsageError
        If there are no such rows, or rows cannot be chosen in these norms.
    """
    count = pieces.count(sectors, pair)
    if rows == "largest" or rows == "all":
        if not pair.rowwise and not pair.columnwise:
            return [Target(sectors, pair)]
        first = range(count) if rows == "all" else pieces.coarse(sectors, pair)
        return [Target(sectors, pair, index) for index in first]
    if not pair.rowwise or pair.columnwise:
        raise UsageError(
            "rows can be chosen only where the output norm is inf and the input norm "
            "is not 1"
        )
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise UsageError(f"rows are 'largest', 'all' or a list, found {rows!r}")
    wrong = [row for row in rows if row not in range(count)]
    if wrong:
        raise UsageError(f"rows are 0 to {count - 1}, found {wrong}")
    return [Target(sectors, pair, int(row)) for row in dict.fromkeys(rows)]
