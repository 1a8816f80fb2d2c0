"""Cases in processes of their own, forked from one that has imported everything.

So a case costs no start of an interpreter, and there are hundreds. Peers run in another
interpreter and are started afresh.
"""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import alone
import cases

# Python 3.11's server does not look where the script that starts it does.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [
        str(Path(alone.__file__).parent),
        *os.environ.get("PYTHONPATH", "").split(os.pathsep),
    ]
)
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["__main__", *(f"comparison.by_{what}" for what in ("certify", "method", "paper"))]
)


def run(
    module: str, task: Mapping[str, Any], limit: float, python: str
) -> dict[str, Any]:
    """Return what a module answers, or ``failed``; whatever happens to it, return.

    Parameters
    ----------
    module : str
        See `alone`.
    task : mapping
        What it is asked; ``memory_limit`` is for bytes.
    limit : float
        Seconds after which it is ended.
    python : str
        The interpreter.
    """
    if python != sys.executable:
        return cases.run(task, limit, module, python)
    ours, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_answer, args=(theirs, module, dict(task)))
    process.start()
    theirs.close()
    in_time = ours.poll(limit)
    try:
        # The end of the pipe, without an answer, is the end of the process.
        outcome: dict[str, Any] = ours.recv() if in_time else {}
    except EOFError:
        outcome = {}
    if not in_time:
        process.kill()
    process.join()
    if outcome:
        return outcome
    if not in_time:
        return {"failed": f"ended after {limit:g} s without an answer"}
    return {"failed": f"ended by itself: {_end(process.exitcode)}"}


def _end(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _answer(pipe: Connection, module: str, task: dict[str, Any]) -> None:
    # An interruption ends it without a word, as the one who asked is gone then.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What native code prints is not for those who read the results.
    os.dup2(2, 1)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (task["memory_limit"],) * 2)
    with contextlib.suppress(BrokenPipeError):
        pipe.send(alone.attempt(module, task))
