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


@dataclass(frozen=True, eq=False)
class _Cut:
    """A matrix by tiles, and where it was cut."""

    places: tuple[object, ...]
    tiles: Mapping[tuple[int, int], Entries]


_known: WeakKeyDictionary[LinearOperator, _Cut] = WeakKeyDictionary()


def matrix_tiles(
    operator: LinearOperator, rows: Mapping[int, Rows], columns: Mapping[int, Rows]
) -> Mapping[tuple[int, int], Entries]:
    """Return the tiles of an operator's matrix, but for those that are zero.

    Parameters
    ----------
    operator : LinearOperator
        From R^n to R^m.
    rows, columns : mapping of int to slice or array of int
        Where to cut, by numbers of tiles.
    """
    places = tuple(
        (k, _name(some)) for ends in (rows, columns) for k, some in ends.items()
    )
    known = _known.get(operator)
    if known is None or known.places != places:
        whole, tiles = entries(operator), {}
        for i, some in rows.items():
            read = whole.part(some, slice(None))
            for j, others in columns.items():
                tile = read.part(slice(None), others)
                if not tile.is_zero:
                    tiles[i, j] = tile
        known = _known[operator] = _Cut(places, tiles)
    return known.tiles


def _name(rows: Rows) -> str | bytes:
    return str(rows) if isinstance(rows, slice) else rows.tobytes()
