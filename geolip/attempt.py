"""One method on one question in a child process, which is stopped when time is over.

A method may hang, crash, or take all memory; a signal handler in this process would not
stop native code. So a fork answers, as the system's first choice where memory runs out.
It is told most of its time, interrupted at the end of it, so that it can say what it
has by then, and killed a little later. Other systems than Linux call the method in this
process, where its own time limit must do.
"""

import faulthandler
import json
import math
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geolip.errors import GeolipError
from geolip.methods import Answer, Label, Method, Question

# A reason's characters.
_LONGEST = 300
# The share of its time that a method is told; the rest is for verification.
TOLD = 0.8
# What it gets between being interrupted and killed, as a share and in seconds.
_GRACE = 0.25
_LEAST_GRACE, _MOST_GRACE = 0.2, 10.0
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Attempt:
    """What came of a method: an answer, or the reason why there is none.

    Parameters
    ----------
    outcome : Answer or str
        The reason is of one line.
    seconds : float
        That it took.
    interrupted : bool
        Whether somebody wants no more methods.
    """

    outcome: Answer | str
    seconds: float
    interrupted: bool = False


def attempt(method: Method, question: Question, seconds: float) -> Attempt:
    """Return what a method answers in about so many seconds.

    Parameters
    ----------
    method : Method
        One that does not refuse the question.
    question : Question
        Its time limit is replaced.
    seconds : float
        After them the method is interrupted, and killed after a quarter of them more.
    """
    settings = replace(question.settings, time_limit=TOLD * seconds)
    question = replace(question, settings=settings)
    return _apart(lambda: method.answer(question), seconds)


def refusal(method: Method, question: Question, seconds: float) -> Attempt:
    """Return why a method has no answer, an empty reason where it may have one.

    Parameters
    ----------
    method, question, seconds
        As for `attempt`.
    """
    return _apart(lambda: method.refusal(question) or "", seconds)


def _apart(call: Callable[[], Answer | str], seconds: float) -> Attempt:
    """Return what comes of a call, in a child process where there are such."""
    start = time.monotonic()
    if sys.platform == "linux":
        return _Child(lambda: _called(call), seconds).result()
    try:
        return _called(call)
    except KeyboardInterrupt:
        return Attempt("interrupted", time.monotonic() - start, interrupted=True)


def _called(call: Callable[[], Answer | str]) -> Attempt:
    """Return what comes of a call in this process."""
    start = time.monotonic()
    outcome: Answer | str
    try:
        outcome = call()
        if isinstance(outcome, Answer) and not 0 <= outcome.value < float("inf"):
            outcome = f"it answered {outcome.value}, which bounds nothing"
    except MemoryError:
        outcome = "out of memory"
    except GeolipError as error:
        outcome = str(error)
    except Exception as error:
        outcome = f"it failed: {type(error).__name__}: {error}"
    if isinstance(outcome, str):
        outcome = " ".join(outcome.split())[:_LONGEST]
    return Attempt(outcome, time.monotonic() - start)


class _Child:
    """A fork of this process that does some work, and has some seconds for it."""

    def __init__(self, work: Callable[[], Attempt], seconds: float) -> None:
        self._start, self._seconds = time.monotonic(), seconds
        self._grace = min(max(_GRACE * seconds, _LEAST_GRACE), _MOST_GRACE)
        self._read, write = os.pipe()
        # An interrupt between these lines would be lost, or leave a child behind.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        try:
            with warnings.catch_warnings():
                # Of locks that other threads hold; linear algebra is made for forks.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._number = os.fork()
            if not self._number:
                _become_child(work, write, seconds + self._grace)
            os.close(write)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def result(self) -> Attempt:
        """Return what it says; what has said nothing is killed in the end."""
        seconds, interrupted = self._seconds, False
        status = None
        try:
            try:
                text = self._said(seconds)
            except KeyboardInterrupt:
                text, interrupted = None, True
            if text is None:
                self._send(signal.SIGINT)
                text = self._said(self._grace)
            status = self._ended(kill=text is None)
        finally:
            os.close(self._read)
            if status is None:
                self._ended(kill=True)
        passed = time.monotonic() - self._start
        if text:
            return replace(_parsed(text), interrupted=interrupted)
        if interrupted:
            return Attempt("interrupted", passed, interrupted=True)
        if passed >= seconds:
            return Attempt(f"no answer in {seconds:.3g} s", passed)
        if status == -signal.SIGKILL:
            return Attempt("killed, as the system does for want of memory", passed)
        return Attempt(f"crashed with exit status {status}", passed)

    def _said(self, seconds: float) -> str | None:
        """Return the child's text, None if there is none in so many seconds.

        Empty if there will be none.
        """
        ready, _, _ = select.select([self._read], [], [], max(seconds, 0.0))
        return os.read(self._read, 1 << 16).decode() if ready else None

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._number, number)

    def _ended(self, *, kill: bool) -> int:
        """Wait for the child's end; return how it ended."""
        if kill:
            self._send(signal.SIGKILL)
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self._number, 0)[1])
        except ChildProcessError:
            # Where the program around us ignores its children, the system forgets them.
            return 0


def _become_child(work: Callable[[], Attempt], write: int, seconds: float) -> None:
    """Do the work in a process group of its own, say what came of it, and end."""
    try:
        # Should nobody be there to end it.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(math.ceil(seconds) + 1)
        # The terminal interrupts its foreground group; here our parent does.
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
        faulthandler.disable()
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        os.write(write, _text(work()).encode())
    finally:
        # Whatever else it would do on its way out is the parent's business.
        os._exit(0)


def _text(done: Attempt) -> str:
    said: dict[str, Any] = {"seconds": done.seconds, "reason": done.outcome}
    if isinstance(done.outcome, Answer):
        answer = done.outcome
        said["reason"] = None
        said["answer"] = [answer.value, answer.label.value, answer.note]
    return json.dumps(said)


def _parsed(text: str) -> Attempt:
    said = json.loads(text)
    if said["reason"] is not None:
        return Attempt(said["reason"], said["seconds"])
    value, label, note = said["answer"]
    return Attempt(Answer(value, Label(label), note), said["seconds"])
