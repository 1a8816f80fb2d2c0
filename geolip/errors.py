"""Every error that geolip raises on purpose, each with its exit code.

A message says what was found, what would be accepted and what to do next.
"""

from collections.abc import Sequence

_LINE = 2000


class GeolipError(Exception):
    """Base of all errors of this package; never raised itself.

    Attributes
    ----------
    exit_code : int
        What the process exits with when the error reaches the command line.
    """

    exit_code = 1


class UsageError(GeolipError):
    """The call is wrong: an unknown name, a missing file, a value out of range."""

    exit_code = 2


class UnknownTensorError(UsageError):
    """A tensor is asked for that the model does not have."""


class ModelError(GeolipError):
    """The model cannot be read: not ONNX, truncated, inconsistent, not finite.

    Parameters
    ----------
    message : str
        Of a line that quotes too much of the model only the ends are kept.
    """

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(map(_shortened, message.split("\n"))))


class UnsupportedModelError(ModelError):
    """The model is readable but uses something that geolip does not certify.

    Parameters
    ----------
    problems : sequence of str
        One line for every node that stands in the way, all of them.

    Attributes
    ----------
    problems : tuple of str
        The same lines.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "node is" if count == 1 else "nodes are"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} {noun} not supported:\n{lines}")


class UnboundedExecutionError(ModelError):
    """The rounding of an execution in float32 cannot be bounded.

    Parameters
    ----------
    problems : sequence of str
        One line for every node or tensor that stands in the way, all of them.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the error of a float32 execution is not bounded:\n{lines}")


class SolverUnavailableError(GeolipError):
    """The chosen solver cannot run here: not installed, or no licence."""

    exit_code = 4


class SolverError(GeolipError):
    """A solver stopped without multipliers that could be used."""

    exit_code = 4


class CertificationError(GeolipError):
    """Nothing could be certified: neither multipliers nor closed forms bound it."""

    exit_code = 4


class OutOfMemoryError(GeolipError):
    """There is not enough memory for what was asked."""

    exit_code = 4


class InterruptedRunError(GeolipError):
    """The run was told to stop, at a point where it has nothing to report."""

    exit_code = 4


class RefusedCertificateError(GeolipError):
    """A certificate does not prove what it claims, or cannot be read."""

    exit_code = 4


class RefusedStateError(GeolipError):
    """The state of a search cannot be read, or is about something else."""

    exit_code = 4


def _shortened(line: str) -> str:
    half = _LINE // 2
    return line if len(line) <= _LINE else f"{line[:half]} ... {line[-half:]}"
