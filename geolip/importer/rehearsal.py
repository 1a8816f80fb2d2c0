"""A model from a file is read twice: first in a child process that it may hurt.

What protobuf, ONNX, NumPy and our own code make of hostile bytes cannot be foreseen:
10 MB of empty nodes become 800 MB of messages, three dimensions ask for a petabyte,
and parsers of binary formats have crashed. So a fork of this process reads the model
under limits of memory and time. Only if that succeeds does this process do the same
with the same bytes; otherwise it raises what the child raised, or says how it ended.
Nothing of a model has to be sent from one to the other. What was read once in the same
way needs no child again (`geolip.importer`).

A fork rather than a new process: measured, 10 to 20 ms and the time of one more
reading, such as 5 ms for a megabyte; a new process would need 0.6 s for its libraries.
ONNX's checker and shape inference, which have crashed, are called in neither. Other
systems than Linux read a model once and without limits.
"""

import faulthandler
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from geolip import errors
from geolip.errors import GeolipError, ModelError, UnsupportedModelError
from geolip.importer.limits import Limits

_SUCCESS, _NO_MEMORY = "success", "memory"
_ADVICE = "if you trust it, raise the limit"


def rehearse(work: Callable[[], object], limits: Limits) -> None:
    """Let a child process do this work, so that it then does no harm here.

    Parameters
    ----------
    work : callable
        Ends in the same way whenever it is called; its result is dropped.
    limits : Limits
        What the child may take.

    Raises
    ------
    GeolipError
        Whichever the work raised.
    ModelError
        If it took more than the limits, or crashed.
    MemoryError
        If there is no memory for a child.
    """
    if sys.platform != "linux":
        return
    available = limits.bytes
    try:
        with tempfile.TemporaryFile("w+") as answer:
            attempt = partial(_attempt, work, available, limits.seconds, answer)
            status = _ended(attempt, limits.seconds)
            answer.seek(0)
            text = answer.read()
    except OSError as error:
        raise MemoryError from error
    # What did not come to its end has said nothing.
    if not text:
        raise _stopped(status, limits.seconds)
    name, content = json.loads(text)
    if name == _NO_MEMORY:
        raise ModelError(
            f"{content}: reading the model takes more than {available or 0:.3g} bytes "
            f"of memory: {_ADVICE} with --limit memory=BYTES"
        )
    if name != _SUCCESS:
        raise getattr(errors, name)(content)


def _stopped(status: int | None, seconds: float) -> ModelError:
    """Return the error for a child process that was stopped by a signal, or by us."""
    if status in (None, -signal.SIGXCPU):
        return ModelError(
            f"reading the model takes more than {seconds:g} seconds: {_ADVICE} with "
            "--limit seconds=NUMBER"
        )
    cause = signal.Signals(-status).name if status else "no signal"
    return ModelError(
        f"the model crashed its reader ({cause}): it is damaged or hostile"
    )


def _ended(work: Callable[[], None], seconds: float) -> int | None:
    """Return how a child process ended that did this work, None if it was too late.

    A signal is a negative number; zero also stands for what nobody knows.
    """
    start = time.monotonic()
    with warnings.catch_warnings():
        # Of locks that other threads hold for ever then; the child takes none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    done, status = 0, 0
    try:
        while (passed := time.monotonic() - start) < seconds:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            # At most an eighth later than it ended.
            time.sleep(min(passed / 8 + 0.0005, 0.05))
        return None
    except ChildProcessError:
        # Where the program around us ignores its children, the system forgets them.
        done = child
        return 0
    finally:
        # Also where an interrupt ended the waiting.
        if not done:
            os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def _attempt(
    work: Callable[[], object],
    available: float | None,
    seconds: float,
    answer: IO[str],
) -> None:
    """Do the work as the child process, and say how it ended."""
    _confine(available, seconds)
    name: str = _SUCCESS
    content: object = None
    try:
        work()
    except MemoryError:
        name, content = _NO_MEMORY, "no memory"
    except GeolipError as error:
        name, content = type(error).__name__, str(error)
        if isinstance(error, UnsupportedModelError):
            content = error.problems
        if _lacks_memory(error):
            name, content = _NO_MEMORY, str(error)
    except Exception:
        # A fault of ours: shown where it can be, it has kept the limits.
        name = _SUCCESS
    json.dump([name, content], answer)
    answer.flush()


def _confine(available: float | None, seconds: float) -> None:
    """Limit this process, and let it say nothing when it crashes."""
    import resource

    faulthandler.disable()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    limits = [(resource.RLIMIT_CORE, 0.0), (resource.RLIMIT_CPU, seconds + 1)]
    if available is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits.append((resource.RLIMIT_AS, available + pages * resource.getpagesize()))
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        soft = min(int(most), sys.maxsize)
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        resource.setrlimit(kind, (soft, hard))


def _lacks_memory(error: BaseException | None) -> bool:
    """Return whether an error comes from an allocation that failed."""
    while error is not None:
        # The second is how protobuf says so.
        if isinstance(error, MemoryError) or "alloc failed" in str(error):
            return True
        error = error.__cause__
    return False
