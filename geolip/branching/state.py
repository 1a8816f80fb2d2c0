"""A search in a file, so that it can go on another day.

The file is written whole or not at all, and carries a checksum. What it says of the
best pattern is proved again when it is read; the bounds of its regions are not, nor
that the regions which are left out are done with: proving that again would cost as much
as the search. So a state is trusted like the process that wrote it, and one that a
stranger made proves nothing.

Source: docs/solvers.md section 9.
"""

import hashlib
import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from geolip.branching.region import Ends, Pattern, Region
from geolip.branching.search import Open, Search
from geolip.errors import RefusedCertificateError, RefusedStateError
from geolip.files import write_whole
from geolip.fingerprint import fingerprint
from geolip.strict_json import LARGEST_FILE, Reader, canonical, parse

SCHEMA = "geolip.fgl/1"


def save(search: Search, path: Path) -> None:
    """Write what is known to a file.

    Raises
    ------
    UsageError
        If it cannot be written.
    RefusedStateError
        If there are more open regions than a file may hold.
    """
    content = {
        **_about(search),
        "nodes": search.nodes,
        "seconds": search.seconds.hex(),
        "first": search.first.hex(),
        "closed": search.closed.hex(),
        "pattern": [] if search.pattern is None else [_pattern(search.pattern)],
        "open": [
            {**_region(node.region), "bound": node.bound.hex()} for node in search.open
        ],
    }
    text = canonical({**content, "checksum": _checksum(content)})
    if len(text) > LARGEST_FILE:
        raise RefusedStateError(f"{len(search.open)} regions are too many for {path}")
    write_whole(path, text)


def restore(search: Search, path: Path) -> None:
    """Continue a search that was saved.

    Parameters
    ----------
    search : Search
        One that has not begun, of the same network and norms.
    path : Path
        The file.

    Raises
    ------
    RefusedStateError
        If the file is damaged, or of another network, norm or accuracy.
    """
    try:
        _read(search, parse(path))
    except RefusedCertificateError as error:
        raise RefusedStateError(
            f"{path} is no state of a search: {error}; name another file to start anew"
        ) from error


def _read(search: Search, content: Any) -> None:
    reader = Reader(content, "the state")
    checksum = reader.text("checksum")
    rest = {key: value for key, value in content.items() if key != "checksum"}
    if checksum != _checksum(rest):
        _refuse("its checksum is wrong")
    for key, expected in _about(search).items():
        if (found := reader.text(key)) != expected:
            what = "model" if key == "semantic_sha256" else key.replace("_", " ")
            _refuse(f"it is about another {what} ({found[:70]}, here {expected})")
    nodes = reader.optional_integer("nodes")
    if nodes is None:
        _refuse("it has no number of nodes")
    seconds, first, closed = map(reader.number, ("seconds", "first", "closed"))
    if min(seconds, first, closed) < 0:
        _refuse("a number is negative")
    patterns = [_read_pattern(search, entry) for entry in reader.objects("pattern")]
    regions = [_read_open(search, entry) for entry in reader.objects("open")]
    reader.close()
    if any(bound > first for _, bound in regions) or closed > first:
        _refuse("a region has a larger bound than all of them")
    search.resume(
        [Open((-bound, n), region) for n, (region, bound) in enumerate(regions)],
        first=first,
        closed=closed,
        nodes=nodes,
        seconds=seconds,
    )
    for pattern in patterns:
        search.offer(pattern)


def _about(search: Search) -> dict[str, str]:
    """Return what has to be the same."""
    return {
        "schema": SCHEMA,
        "semantic_sha256": fingerprint(search.network),
        "input_norm": search.norms.input.name,
        "output_norm": search.norms.output.name,
        "accuracy": search.accuracy.hex(),
    }


def _checksum(content: Any) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _region(region: Region) -> dict[str, Any]:
    return {
        "piece": region.piece,
        "slopes": _packed(region.slopes),
        "signs": _packed(region.signs),
    }


def _pattern(pattern: Pattern) -> dict[str, Any]:
    return {
        "piece": pattern.piece,
        "slopes": _packed(pattern.slopes),
        "direction": [float(x).hex() for x in pattern.direction],
    }


def _packed(ends: Ends) -> list[int]:
    """Return twice the index of each entry that is not zero, plus one for positives."""
    return [2 * int(i) + int(ends[i] > 0) for i in np.flatnonzero(ends)]


def _unpacked(codes: tuple[int, ...], size: int) -> Ends:
    ends = np.zeros(size, np.int8)
    for code in codes:
        if code >= 2 * size or ends[code // 2]:
            _refuse("it names a neuron or an input twice, or one that is not there")
        ends[code // 2] = 1 if code % 2 else -1
    return ends


def _read_piece(search: Search, reader: Reader) -> int:
    index = reader.optional_integer("piece")
    if index is None or index >= search.count:
        _refuse("it names a piece of the constant that is not there")
    return index


def _read_open(search: Search, reader: Reader) -> tuple[Region, float]:
    inputs, *hidden = search.sizes
    region = Region(
        _read_piece(search, reader),
        _unpacked(reader.integers("slopes"), sum(hidden)),
        _unpacked(reader.integers("signs"), inputs),
    )
    bound = reader.number("bound")
    reader.close()
    if not 0 <= bound < math.inf:
        _refuse("a bound is negative")
    if region.signs.any() and search.norms.input.name != "inf":
        _refuse("signs of inputs are for l_inf inputs")
    return region, bound


def _read_pattern(search: Search, reader: Reader) -> Pattern:
    inputs, *hidden = search.sizes
    pattern = Pattern(
        _read_piece(search, reader),
        _unpacked(reader.integers("slopes"), sum(hidden)),
        reader.numbers("direction"),
    )
    reader.close()
    if len(pattern.direction) != inputs or not pattern.slopes.all():
        _refuse("its pattern is of another network")
    return pattern


def _refuse(what: str) -> NoReturn:
    raise RefusedCertificateError(what)
