"""The formal constant of a model, exactly: the way of `geolip.exact_fgl`."""

import contextlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from geolip import importer, norms, pieces, presolve
from geolip.branching.search import Search
from geolip.branching.state import restore, save
from geolip.decimals import round_down, round_up
from geolip.errors import GeolipError, UsageError
from geolip.files import check_writable
from geolip.importer import DEFAULT_LIMITS, Limits
from geolip.network import Network
from geolip.norms import NormPair
from geolip.report import ModelSummary

SCHEMA = "geolip.formal/1"
# The relative gap at which the constant counts as exact.
ACCURACY = 1e-6
# Regions are bounded with dense matrices of so many entries at the most, and each piece
# has a tree of its own.
_LARGEST, _MOST_PIECES = 2**24, 1024
EXACT, TIME_LIMIT, INTERRUPTED, STUCK = "exact", "time limit", "interrupted", "stuck"


@dataclass(frozen=True)
class FormalReport:
    """What is proved of a formal global Lipschitz constant (FGL).

    Parameters
    ----------
    model : ModelSummary or None
        Which model; None for a network that was not read from one.
    input_norm, output_norm : str
        The norms' names.
    upper, lower : float
        Proved bounds of the FGL; the upper one is a Lipschitz constant.
    first : float
        The upper bound before anything was split: the relaxation's.
    nodes, open : int
        Regions that were bounded, and those that may still hold a larger pattern.
    seconds : float
        That the search took, with what earlier runs took if it was resumed.
    status : str
        "exact", or why not: "time limit", "interrupted" or "stuck", where rounding
        forbids to tell the bounds of the last regions from the best pattern.
    notes : tuple of str
        What else the reader should know.
    """

    model: ModelSummary | None
    input_norm: str
    output_norm: str
    upper: float
    lower: float
    first: float
    nodes: int
    open: int
    seconds: float
    status: str
    notes: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """``upper / lower - 1``; 0 where the output does not move."""
        if self.upper == 0.0:
            return 0.0
        return self.upper / self.lower - 1 if self.lower else math.inf

    def to_json(self) -> str:
        """Return one JSON object."""
        gap = self.gap if math.isfinite(self.gap) else None
        content = {"schema": SCHEMA, **asdict(self), "gap": gap}
        return json.dumps(content, indent=2)

    def __str__(self) -> str:
        name = (self.model and self.model.path) or "network"
        lines = [
            f"formal constant of {name}, {self.input_norm}:{self.output_norm}",
            f"  upper bound   {round_up(self.upper)}",
            f"  lower bound   {round_down(self.lower)}",
            f"  gap           {self.gap:.1e} (relaxation {self._first_gap:.1e})",
            f"  status        {self.status}",
            f"  regions       {self.nodes} bounded, {self.open} open",
            f"  seconds       {self.seconds:.2f}",
        ]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    @property
    def _first_gap(self) -> float:
        return self.first / self.lower - 1 if self.lower else 0.0


def exact_fgl(
    model: Any,
    norm: object = "inf",
    *,
    input_name: str | None = None,
    output_name: str | None = None,
    accuracy: float = ACCURACY,
    time_limit: float | None = None,
    state: str | os.PathLike[str] | None = None,
    seed: int = 0,
    limits: Limits = DEFAULT_LIMITS,
    progress: Callable[[str], None] = lambda _: None,
) -> FormalReport:
    """Return the formal constant of a small network, or the best bounds by then.

    Parameters
    ----------
    model, norm, input_name, output_name, limits
        As for `geolip.certify`.
    accuracy : float
        The relative gap at which the search ends.
    time_limit : float, optional
        Seconds for the search. An interrupt ends it as well; both leave valid bounds.
    state : path, optional
        A file that keeps the search. If it is there, the search goes on from it; it
        must be one that this program wrote (`geolip.branching.state`).
    seed : int
        Of everything random.
    progress : callable
        Called now and then with a line.

    Returns
    -------
    FormalReport
        With proved bounds of the FGL, equal but for the accuracy if the status is
        "exact".

    Raises
    ------
    UsageError
        A value out of range, a file that cannot be written, a network that is not
        small.
    ModelError
        The model cannot be read.
    RefusedStateError
        The state is damaged, or about something else.
    CertificationError
        There is no finite bound to start from.
    """
    pair = norms.parse(norm)
    network, sha256 = importer.load_with_hash(
        model, limits, input_name=input_name, output_name=output_name
    )
    summary = ModelSummary(
        path=os.fspath(model) if isinstance(model, str | os.PathLike) else None,
        sha256=sha256,
        inputs=network.input_size,
        outputs=network.output.size,
        neurons=network.neurons,
        layers=len(network.blocks),
    )
    return formal_constant(
        network,
        pair,
        accuracy=accuracy,
        time_limit=time_limit,
        state=None if state is None else Path(state),
        seed=seed,
        progress=progress,
        summary=summary,
    )


def refusal(network: Network, pair: NormPair) -> str | None:
    """Return None, or one line that says why a network is too large to search."""
    reduced = presolve.reduce(network.sectors()).network
    inputs, *hidden = reduced.sizes
    if sum(hidden) * (inputs + sum(hidden)) > _LARGEST:
        return (
            f"branch and bound is for small networks, this one has {inputs} inputs and "
            f"{sum(hidden)} neurons: use geolip certify"
        )
    if (count := pieces.count(reduced, pair)) > _MOST_PIECES:
        return (
            f"in {pair} the constant is the largest of {count} others, and branch and "
            f"bound takes up to {_MOST_PIECES}: choose other norms or geolip certify"
        )
    return None


def formal_constant(
    network: Network,
    pair: NormPair,
    *,
    accuracy: float = ACCURACY,
    time_limit: float | None = None,
    state: Path | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
    summary: ModelSummary | None = None,
) -> FormalReport:
    """Return the formal constant of a network that is read already.

    Parameters and errors are those of `exact_fgl`.
    """
    start = time.monotonic()
    _check_positive("accuracy", accuracy)
    if time_limit is not None:
        _check_positive("the time limit", time_limit)
    if not isinstance(seed, Integral) or seed < 0:
        raise UsageError(f"the seed must be a non-negative integer, found {seed!r}")
    if (reason := refusal(network, pair)) is not None:
        raise UsageError(reason)
    if state is not None:
        check_writable(state)
    notes = []
    if network.head is not None:
        notes.append(f"of what {network.head.name} reads, times its Lipschitz constant")
    if network.inexact:
        notes.append(f"an estimate: {network.inexactness}")
    deadline = math.inf if time_limit is None else start + time_limit
    sectors = network.without_head(pair.output).sectors()
    search = Search(presolve.reduce(sectors).network, pair, float(accuracy), int(seed))

    def note() -> None:
        progress(
            f"{search.lower:.7g} <= FGL <= {search.upper:.7g}, gap {search.gap:.1e}, "
            f"{search.nodes} regions, {len(search.open)} open"
        )
        if state is not None:
            # It is tried again later, and the bounds do not depend on it.
            with contextlib.suppress(GeolipError):
                save(search, state)

    if state is not None and state.exists():
        restore(search, state)
    else:
        search.begin(deadline)
    interrupted = False
    try:
        note()
        search.run(deadline, note)
    except KeyboardInterrupt:
        interrupted = True
    if state is not None:
        try:
            save(search, state)
        except GeolipError as error:
            # The bounds hold whatever becomes of the file.
            notes.append(str(error))
    return FormalReport(
        model=summary,
        input_norm=pair.input.name,
        output_norm=pair.output.name,
        upper=search.upper,
        lower=search.lower,
        first=search.first,
        nodes=search.nodes,
        open=len(search.open),
        seconds=search.seconds,
        status=_status(search, interrupted),
        notes=tuple(notes),
    )


def _status(search: Search, interrupted: bool) -> str:
    if search.is_done:
        return EXACT
    if search.open:
        return INTERRUPTED if interrupted else TIME_LIMIT
    return STUCK


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise UsageError(f"{name} must be positive and finite, found {value!r}")
