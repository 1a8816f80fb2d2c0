"""A model from a file is read twice: first in a child process that it may hurt.

What protobuf, ONNX, NumPy and our own code make of hostile bytes cannot be foreseen:
10 MB of empty nodes become 800 MB of messages, three dimensions ask for a petabyte,
and parsers of binary formats have crashed. So a fork of this process reads the model
under limits of memory and time. Only if that succeeds does this process do the same
with the same bytes; otherwise it raises what the child raised, or says how it ended.
Nothing of a model has to be sent from one to the other.

A fork rather than a new process: measured, 6 ms and the time of one more reading, such
as 5 ms for a megabyte; a new process would need 0.6 s for its libraries. ONNX's checker
and shape inference, which have crashed, are called in neither. Other systems than Linux
read a model once and without limits.
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
from pathlib import Path
from typing import IO

from geolip import errors
from geolip.errors import GeolipError, ModelError, UnsupportedModelError
from geolip.importer.limits import Limits

_SUCCESS, _REFUSED, _NO_MEMORY, _TOO_LATE = range(4)
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
            code = _ended(
                lambda: _attempt(work, available, limits.seconds, answer),
                limits.seconds,
            )
            answer.seek(0)
            message = answer.read()
    except OSError as error:
        raise MemoryError from error
    if code == _REFUSED:
        raise _error(message)
    if code == _NO_MEMORY:
        raise ModelError(
            f"{message}: reading the model takes more than {available or 0:.3g} bytes "
            f"of memory: {_ADVICE} with --limit memory=BYTES"
        )
    if code in (_TOO_LATE, -signal.SIGXCPU):
        raise ModelError(
            f"reading the model takes more than {limits.seconds:g} seconds: {_ADVICE} "
            "with --limit seconds=NUMBER"
        )
    if code != _SUCCESS:
        raise ModelError(
            f"the model crashed its reader ({signal.Signals(-code).name}): it is "
            "damaged or hostile"
        )


def _ended(work: Callable[[], int], seconds: float) -> int:
    """Return how a child process ended that did this work; a signal as negative."""
    start = time.monotonic()
    with warnings.catch_warnings():
        # Of locks that other threads hold for ever then; the child takes none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = _SUCCESS
        try:
            code = work()
        finally:
            os._exit(code)
    done, status = 0, 0
    try:
        while (passed := time.monotonic() - start) < seconds:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            # At most an eighth later than it ended.
            time.sleep(min(passed / 8 + 0.0005, 0.05))
        return _TOO_LATE
    finally:
        # Also where an interrupt ended the waiting.
        if not done:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _attempt(
    work: Callable[[], object],
    available: float | None,
    seconds: float,
    answer: IO[str],
) -> int:
    """Do the work as the child process and return what to exit with."""
    _confine(available, seconds)
    try:
        work()
    except MemoryError:
        answer.write("memory")
        answer.flush()
        return _NO_MEMORY
    except GeolipError as error:
        lacks = _lacks_memory(error)
        answer.write(str(error) if lacks else _text(error))
        answer.flush()
        return _NO_MEMORY if lacks else _REFUSED
    except BaseException:
        # A fault of ours: shown where it can be, it has kept the limits.
        return _SUCCESS
    return _SUCCESS


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


def _text(error: GeolipError) -> str:
    problems = error.problems if isinstance(error, UnsupportedModelError) else None
    return json.dumps([type(error).__name__, problems or str(error)])


def _error(text: str) -> GeolipError:
    name, content = json.loads(text)
    error: GeolipError = getattr(errors, name)(content)
    return error
