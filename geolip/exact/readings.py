"""What tiles of a layer read, kept while its operators are in use.

The proofs of all outputs share operators, and their matrices take long to form.

Source: docs/certificates.md section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from geolip.exact.entries import Entries, entries
from geolip.linear import LinearOperator
from geolip.tiles import Rows

# Larger matrices are formed again for every proof.
_LARGEST = 2**22

Places = tuple[tuple[int, str | bytes], ...]
Read = Mapping[int, Mapping[int, Entries]]


@dataclass(frozen=True, eq=False)
class _Cut:
    """A matrix by tiles, and where it was cut."""

    places: Places
    tiles: Read


_known: WeakKeyDictionary[LinearOperator, _Cut] = WeakKeyDictionary()


def matrix_tiles(
    operator: LinearOperator, rows: Mapping[int, Rows], columns: Mapping[int, Rows]
) -> Read:
    """Return an operator's matrix by tiles, without those that are zero.

    Parameters
    ----------
    operator : LinearOperator
        From R^n to R^m.
    rows, columns : mapping of int to slice or array of int
        Where to cut, by numbers of tiles.
    """
    places = (*_named(rows), *_named(columns))
    known = _known.get(operator)
    if known is not None and known.places == places:
        return known.tiles
    whole, tiles = entries(operator), {}
    for i, some in rows.items():
        read = whole.part(some, slice(None))
        cut = {j: read.part(slice(None), others) for j, others in columns.items()}
        tiles[i] = {j: tile for j, tile in cut.items() if not tile.is_zero}
    if sum(tile.size for row in tiles.values() for tile in row.values()) <= _LARGEST:
        _known[operator] = _Cut(places, tiles)
    return tiles


def _named(ends: Mapping[int, Rows]) -> Places:
    return tuple(
        (k, str(rows) if isinstance(rows, slice) else rows.tobytes())
        for k, rows in ends.items()
    )
