"""One case of the benchmark of solvers: certify one network, see `alone`."""

from pathlib import Path
from typing import Any

import numpy as np
from alone import peak_mb

import geolip
from geolip.arrays import Array
from geolip.errors import GeolipError, UsageError
from geolip.importer import catalogue
from geolip.incumbent import Look


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a task, or why there is none."""
    try:
        _warm_up(task["norm"], task["solver"])
        model = _model(Path(task["model"]))
        start = peak_mb()
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
    return {
        "report": report.as_dict(),
        "start_mb": start,
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
