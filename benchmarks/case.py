"""One case of the benchmark: certify one network, in a process of its own.

The task is a JSON object in the first argument, the answer one on stdout.
"""

import contextlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

import geolip
from geolip.arrays import Array
from geolip.errors import GeolipError, UsageError
from geolip.importer import catalogue
from geolip.incumbent import Look


def certify(task: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a task, or why there is none."""
    try:
        _warm_up(task["norm"], task["solver"])
        model = _model(Path(task["model"]))
        start = _peak_mb()
        looks: list[Look] = []
        report = geolip.certify(
            model,
            task["norm"],
            solver=task["solver"],
            rows=task["rows"],
            accuracy=task["accuracy"],
            time_limit=task["time_limit"],
            progress=lambda what: (
                looks.append(what) if isinstance(what, Look) else None
            ),
        )
    except GeolipError as error:
        return {"failed": str(error)}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    return {
        "report": report.as_dict(),
        "start_mb": start,
        "peak_mb": _peak_mb(),
        "looks": [[look.label, look.seconds, look.value, look.bound] for look in looks],
    }


def _warm_up(norm: str, solver: str) -> None:
    """Import all that a certification imports, so that no import is timed."""
    catalogue.readers()
    tiny = [np.array([[1.0, 2.0], [-2.0, 1.0]]), np.array([[1.0, -1.0]])]
    geolip.certify(tiny, norm, solver=solver, accuracy=1e-2)


def _model(path: Path) -> Path | list[Array]:
    """Return what is certified: an ONNX file, or the matrices of a ``.mat`` file."""
    if path.suffix != ".mat":
        return path
    from scipy import sparse
    from scipy.io import loadmat

    try:
        cell = loadmat(path)["weights"]
    except KeyError as error:
        raise UsageError(f"{path} has no cell array `weights`") from error
    return [W.toarray() if sparse.issparse(W) else W for W in cell.ravel()]


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    task = json.loads(sys.argv[1])
    # What native code prints goes to stderr; the answer alone to stdout.
    with os.fdopen(os.dup(1), "w") as answer:
        os.dup2(2, 1)
        # Not every system can do this; the case is then unlimited.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (task["memory_limit"],) * 2)
        json.dump(certify(task), answer)


if __name__ == "__main__":
    main()
