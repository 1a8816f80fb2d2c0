"""One module's answer to one task, in this process, which has nothing else to do.

    python benchmarks/alone.py MODULE TASK

MODULE is one of this folder's with a function ``answer(task)``, which takes a dict and
returns one. TASK is a JSON object; its ``memory_limit`` is for bytes of address space.
What comes out is a JSON object on stdout: the answer and ``peak_mb``, or ``failed``.

The standard library suffices here, so that the Python of any virtual environment can
run this.
"""

import contextlib
import importlib
import json
import os
import resource
import sys
from typing import Any


def peak_mb() -> float:
    """Return the most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def attempt(module: str, task: dict[str, Any]) -> dict[str, Any]:
    """Return the module's answer, or why there is none."""
    try:
        outcome: dict[str, Any] = importlib.import_module(module).answer(task)
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    return {**outcome, "peak_mb": peak_mb()}


def main() -> None:
    """Answer on stdout."""
    module, task = sys.argv[1], json.loads(sys.argv[2])
    # What native code prints goes to stderr; the answer alone to stdout.
    with os.fdopen(os.dup(1), "w") as stdout:
        os.dup2(2, 1)
        # Not every system can do this; the case is then unlimited.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (task["memory_limit"],) * 2)
        json.dump(attempt(module, task), stdout)


if __name__ == "__main__":
    main()
