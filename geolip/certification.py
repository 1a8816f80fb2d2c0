"""From a model to a report: read, build, solve, verify, bound from below.

A solver is never believed: every bound in the report comes from the verifier or from a
closed form. Stage times are taken here and nowhere else.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from geolip import backend, importer, norms, presolve, provenance, relaxations
from geolip.backend import Settings, Solution, Status
from geolip.bounds.gradient import largest_gradient
from geolip.bounds.norm_product import norm_product
from geolip.bounds.pattern import largest_pattern
from geolip.clock import StageClock
from geolip.errors import (
    CertificationError,
    GeolipError,
    SolverUnavailableError,
    UsageError,
)
from geolip.incumbent import Incumbent, Progress
from geolip.network import Network
from geolip.norms import NormPair
from geolip.problem import Problem
from geolip.report import ModelSummary, OutputReport, Report
from geolip.sectors import SectorNetwork
from geolip.verify import TRUST

DEFAULT_SOLVER = "lifted"


# Overflow ends in infinities and NaN, which the verifier and every repair refuse.
@np.errstate(over="ignore", invalid="ignore")
def certify(
    model: Any,
    norm: object = "inf",
    *,
    method: str | None = None,
    solver: str | None = None,
    accuracy: float = Settings.accuracy,
    time_limit: float | None = None,
    rows: Sequence[int] | None = None,
    seed: int = 0,
    solver_options: Mapping[str, Any] | None = None,
    verbose: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Certify the Lipschitz constant of a network.

    Parameters
    ----------
    model : path, onnx.ModelProto or sequence of array (n_k, n_{k-1})
        An ONNX file or model, or weight matrices with a ReLU between each two.
    norm : str, number or pair
        Of inputs and outputs: ``"inf"``, ``2``, ``"2:inf"``, ``("2", "inf")``.
    method : str, optional
        A relaxation's name; by default the one that goes with the norms.
    solver : str, optional
        A solver's name; ``lifted`` by default.
    accuracy : float
        The relative verified gap at which a solver may stop.
    time_limit : float, optional
        Seconds for all solves together; what is verified by then is reported.
    rows : sequence of int, optional
        The output coordinates to bound, where each has a bound of its own; all by
        default. The report is then about these outputs alone.
    seed : int
        Of everything random.
    solver_options : mapping, optional
        Handed to the solver untouched.
    verbose : bool
        Let a third-party solver print its log.
    progress : callable, optional
        Called with one line of text now and then.

    Returns
    -------
    Report
        With a verified bound of the constant in the given norms.

    Raises
    ------
    UsageError
        An unknown name, a missing file, a value out of range.
    ModelError
        The model cannot be read, or (`UnsupportedModelError`) uses something
        unsupported.
    SolverUnavailableError
        The solver is not installed or has no licence.
    CertificationError
        Not even a closed form gives a finite bound.
    """
    pair = norms.parse(norm)
    _check_positive("accuracy", accuracy)
    if time_limit is not None:
        _check_positive("the time limit", time_limit)
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"the seed must be a non-negative integer, found {seed!r}")
    settings = Settings(accuracy, time_limit, seed, verbose, dict(solver_options or {}))
    method, relaxation = relaxations.choose(method, pair)
    name = solver or DEFAULT_SOLVER
    engine = backend.get(name)
    if (reason := engine.usable()) is not None:
        raise SolverUnavailableError(f"solver {name} is not usable: {reason}")
    clock = StageClock()
    with clock.stage("read"):
        network, summary = _read(model)
        targets = _targets(network, pair, rows)
    run = _Run(pair, method, relaxation, engine, settings, clock, progress or _silent)
    outputs = [
        run.output(network, target, left=len(targets) - done)
        for done, target in enumerate(targets)
    ]
    return Report(
        model=summary,
        input_norm=pair.input.name,
        output_norm=pair.output.name,
        method=method,
        solver=name,
        trust=TRUST,
        outputs=tuple(outputs),
        seconds=clock.finished(),
        notes=tuple(dict.fromkeys(run.notes)),
        versions=provenance.versions(),
        threads=provenance.threads(),
    )


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, float | int) or not 0 < value < np.inf:
        raise UsageError(f"{name} must be positive and finite, found {value!r}")


@dataclass(frozen=True)
class _Target:
    """What one bound is about: one output, or all of them together."""

    name: str
    index: int | None
    sectors: SectorNetwork


def _read(model: Any) -> tuple[Network, ModelSummary]:
    network, sha256 = importer.load_with_hash(model)
    path = os.fspath(model) if isinstance(model, str | os.PathLike) else None
    return network, ModelSummary(
        path=path,
        sha256=sha256,
        inputs=network.input_size,
        outputs=network.output.size,
        neurons=network.neurons,
        layers=len(network.blocks),
    )


def _targets(
    network: Network, pair: NormPair, rows: Sequence[int] | None
) -> list[_Target]:
    sectors = network.sectors()
    if not pair.rowwise:
        if rows is not None:
            raise UsageError("rows can be chosen only where the output norm is inf")
        return [_Target("all", None, sectors)]
    count = network.output.size
    chosen = range(count) if rows is None else list(dict.fromkeys(rows))
    wrong = [row for row in chosen if row not in range(count)]
    if wrong or not chosen:
        raise UsageError(f"rows are 0 to {count - 1}, found {wrong or 'none'}")
    return [_Target(str(i), i, sectors.rows(np.arange(count) == i)) for i in chosen]


@dataclass
class _Run:
    """One certification under way: what its outputs share."""

    norms: NormPair
    method: str
    relaxation: relaxations.Relaxation
    engine: backend.Backend
    settings: Settings
    clock: StageClock
    progress: Progress
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False

    def output(self, network: Network, target: _Target, left: int) -> OutputReport:
        """Bound one target, the first of ``left``, from above and below."""
        with self.clock.stage("build"):
            reduction = presolve.reduce(target.sectors)
            reduced = reduction.network
            problem = self.relaxation.problem(reduced, self.norms)
        if problem.is_trivial:
            return OutputReport(
                name=target.name,
                index=target.index,
                bound=0.0,
                source="constant",
                lower_bound=0.0,
                fgl_lower_bound=0.0,
                relaxation_value=0.0,
                status=Status.TRIVIAL.value,
                iterations=0,
            )
        label = f"output {target.name}"
        judge = Incumbent(problem, label, self.clock, self.progress)
        solution = self._solve(problem, judge, label, left)
        judge.consider(solution.multipliers, solution.value)
        bound, source = self._best(judge, target, label)
        self.progress(f"{label}: lower bounds")
        with self.clock.stage("lower_bound"):
            seed = self.settings.seed
            fgl, direction = largest_pattern(
                reduced, self.norms, seed, solution.vectors
            )
            along = reduction.restore(0, direction)
            lower = largest_gradient(network, target.sectors, self.norms, seed, [along])
        return OutputReport(
            name=target.name,
            index=target.index,
            bound=bound,
            source=source,
            lower_bound=lower,
            fgl_lower_bound=max(fgl, lower),
            relaxation_value=judge.value,
            status=solution.status.value,
            iterations=solution.iterations,
        )

    def _solve(
        self, problem: Problem, judge: Incumbent, label: str, left: int
    ) -> Solution:
        """Run the solver; whatever happens to it, return a solution."""
        if self.interrupted:
            return Solution(Status.INTERRUPTED)
        limit = self.settings.time_limit
        if limit is not None:
            spent = self.clock.seconds["solve"] + self.clock.seconds["verify"]
            limit = max(limit - spent, 0.0) / left
        try:
            with self.clock.stage("solve"):
                settings = replace(self.settings, time_limit=limit)
                return self.engine.solve(problem, settings, judge)
        except KeyboardInterrupt:
            self.interrupted = True
            self.notes.append(f"interrupted at {label}")
            return Solution(Status.INTERRUPTED)
        except (SolverUnavailableError, UsageError):
            raise
        except Exception as error:
            # A solver may fail in any way it likes; a bound is still possible.
            what = str(error) if isinstance(error, GeolipError) else repr(error)
            self.notes.append(f"{label}: the solver failed: {what}")
            return Solution(Status.FAILED)

    def _best(self, judge: Incumbent, target: _Target, label: str) -> tuple[float, str]:
        """Return the least valid bound and what gave it."""
        if judge.bound == np.inf:
            judge.consider(None)
        with self.clock.stage("verify"):
            product = norm_product(target.sectors, self.norms)
        if not np.isfinite(min(judge.bound, product)):
            raise CertificationError(
                f"{label} has no finite bound: no multipliers verify and the norm "
                "product overflows; rescale the weights"
            )
        if judge.bound <= product:
            return judge.bound, self.method
        if judge.bound > product * (1 + self.settings.accuracy):
            self.notes.append(f"{label}: the norm product is the best bound verified")
        return product, "norm product"


def _silent(_: str) -> None:
    """Show no progress."""
