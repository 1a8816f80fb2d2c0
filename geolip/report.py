"""What a certification found: bounds, lower bounds, gaps and seconds.

Numbers are stored as computed. Printed decimals of upper bounds are rounded up, of
lower bounds down, so that a printed bound is never smaller than the proved one.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from geolip.certificate import Certificate
from geolip.decimals import round_down, round_up
from geolip.execution import FloatExecution

SCHEMA = "geolip.report/1"
# A table of more rows than this shows the few with the largest bounds.
_MOST_ROWS, _FEW_ROWS = 40, 20


@dataclass(frozen=True)
class ModelSummary:
    """Which model the report is about.

    Parameters
    ----------
    path : str or None
        As the user gave it; None for a model that was not a file.
    sha256 : str
        Of the file, or of the serialised model.
    inputs, outputs, neurons, layers : int
        Input coordinates, output coordinates, hidden neurons, activation layers.
    """

    path: str | None
    sha256: str
    inputs: int
    outputs: int
    neurons: int
    layers: int

    @property
    def headline(self) -> str:
        """The model and its size in one line."""
        plural = "" if self.layers == 1 else "s"
        layers = f"{self.neurons} neurons in {self.layers} layer{plural}"
        size = f"{self.inputs} inputs, {self.outputs} outputs, {layers}"
        return f"{self.path or 'model'}: {size}"


@dataclass(frozen=True)
class OutputReport:
    """What is known of one output, or of all outputs together.

    Parameters
    ----------
    name : str
        The output's name, or "all" for the whole output.
    index : int or None
        Its flat index; None for the whole output.
    bound : float
        Verified upper bound of the Lipschitz constant in the report's norms.
    source : str
        What gave it: the method's name, "norm product", or for networks that do not fit
        in memory how many parts were multiplied.
    lower_bound : float
        A gradient's norm: the Lipschitz constant is at least this.
    fgl_lower_bound : float
        A slope pattern's norm: no bound of the formal constant can be below this.
    relaxation_value : float or None
        The relaxation's own value as the solver knows it; not a bound.
    status : str
        Why the solver stopped.
    iterations : int
        As the solver counts them.
    """

    name: str
    index: int | None
    bound: float
    source: str
    lower_bound: float
    fgl_lower_bound: float
    relaxation_value: float | None
    status: str
    iterations: int

    @property
    def gap(self) -> float | None:
        """The verified gap ``bound / relaxation_value - 1``, None where undefined."""
        if self.relaxation_value is None:
            return None
        if self.relaxation_value <= 0:
            return 0.0 if self.bound == 0 else None
        gap = self.bound / self.relaxation_value - 1
        return gap if math.isfinite(gap) else None


@dataclass(frozen=True)
class Report:
    """The result of `geolip.certify`.

    Parameters
    ----------
    model : ModelSummary
        What was certified.
    input_norm, output_norm : str
        The norms' names.
    method, solver : str
        The relaxation and the solver.
    trust : str
        How the bound was checked.
    outputs : tuple of OutputReport
        One an output row, or a single one for the whole output.
    seconds : mapping of str to float
        By stage: read, build, solve, verify, lower_bound, total.
    notes : tuple of str
        What the user should know, such as a fallback that was taken.
    versions : mapping of str to str
        Of geolip and the libraries that matter.
    threads : int
        That the linear algebra may use.
    certificate : Certificate or None
        What proves the bound to anybody; None for a network bounded in parts.
    float_execution : FloatExecution or None
        How far executions in float32 are from the real function; None if not asked for.
    """

    model: ModelSummary
    input_norm: str
    output_norm: str
    method: str
    solver: str
    trust: str
    outputs: tuple[OutputReport, ...]
    seconds: Mapping[str, float]
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    threads: int
    certificate: Certificate | None = None
    float_execution: FloatExecution | None = None

    @property
    def worst(self) -> OutputReport:
        """The output with the largest bound."""
        return max(self.outputs, key=lambda output: output.bound)

    @property
    def bound(self) -> float:
        """The verified bound of the whole output in the report's norms."""
        return self.worst.bound

    @property
    def lower_bound(self) -> float:
        """A lower bound of the same constant."""
        return max(output.lower_bound for output in self.outputs)

    @property
    def fgl_lower_bound(self) -> float:
        """A lower bound of the same formal constant."""
        return max(output.fgl_lower_bound for output in self.outputs)

    @property
    def relaxation_value(self) -> float | None:
        """The relaxation's value for the whole output, None if a part is not known."""
        values = [output.relaxation_value for output in self.outputs]
        known = [value for value in values if value is not None]
        return max(known) if len(known) == len(values) else None

    @property
    def iterations(self) -> int:
        """Of all solves together."""
        return sum(output.iterations for output in self.outputs)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, the content of ``--json``."""
        execution = self.float_execution
        return {
            "schema": SCHEMA,
            "model": asdict(self.model),
            "norm": {"input": self.input_norm, "output": self.output_norm},
            "method": self.method,
            "solver": self.solver,
            "trust": self.trust,
            "partial": self.is_partial,
            "bound": self.bound,
            "lower_bound": self.lower_bound,
            "fgl_lower_bound": self.fgl_lower_bound,
            "relaxation_value": self.relaxation_value,
            "outputs": [{**asdict(o), "gap": o.gap} for o in self.outputs],
            "seconds": dict(self.seconds),
            "iterations": self.iterations,
            "notes": list(self.notes),
            "versions": dict(self.versions),
            "threads": self.threads,
            "float_execution": execution and execution.as_dict(),
        }

    def to_json(self) -> str:
        """Return the report as one JSON object; floats survive the round trip."""
        return json.dumps(self.as_dict(), indent=2, allow_nan=False)

    def __str__(self) -> str:
        execution = self.float_execution
        second = [] if execution is None else ["", *execution.lines()]
        blocks = [*self._headline(), *second, "", *self._table(), "", *self._footer()]
        return "\n".join(blocks)

    def _headline(self) -> list[str]:
        norms = f"l_{self.input_norm} -> l_{self.output_norm}"
        ratio = ""
        if self.lower_bound > 0:
            ratio = f"   (bound / lower bound = {self.bound / self.lower_bound:.3f})"
        return [
            self.model.headline,
            f"Lipschitz constant{self._scope()}, {norms}:",
            f"  at most   {round_up(self.bound)}   ({self.trust}, {self.worst.source})",
            f"  at least  {round_down(self.lower_bound)}{ratio}",
        ]

    @property
    def is_partial(self) -> bool:
        """Whether the bound is about some of the model's outputs only."""
        if self.input_norm == "1":
            return False
        indices = [output.index for output in self.outputs]
        return None not in indices and len(indices) < self.model.outputs

    def _scope(self) -> str:
        if not self.is_partial:
            return ""
        names = ", ".join(output.name for output in self.outputs)
        return (
            f" of output {names} alone"
            if len(self.outputs) == 1
            else (f" of outputs {names} alone")
        )

    def _table(self) -> list[str]:
        header = (
            "input" if self.input_norm == "1" else "output",
            "bound",
            "relaxation",
            "gap",
            "FGL >=",
            "Lipschitz >=",
        )
        rows = [header]
        shown = self.outputs
        if len(shown) > _MOST_ROWS:
            largest = sorted(shown, key=lambda output: -output.bound)[:_FEW_ROWS]
            shown = tuple(output for output in shown if output in largest)
        for output in shown:
            value, gap = output.relaxation_value, output.gap
            rows.append(
                (
                    output.name,
                    round_up(output.bound),
                    "-" if value is None else f"{value:.7g}",
                    "-" if gap is None else f"{gap:.1e}",
                    round_down(output.fgl_lower_bound),
                    round_down(output.lower_bound),
                )
            )
        widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
        lines = [
            "  ".join(
                cell.rjust(width) for cell, width in zip(row, widths, strict=True)
            )
            for row in rows
        ]
        left_out = len(self.outputs) - len(shown)
        return [*lines, f"and {left_out} with smaller bounds"] if left_out else lines

    def _footer(self) -> list[str]:
        stages = ", ".join(f"{name} {s:.2f}" for name, s in self.seconds.items())
        lines = [
            f"method {self.method}, solver {self.solver}, {self.iterations} iterations",
            f"seconds: {stages}",
        ]
        return lines + [f"note: {note}" for note in self.notes]
