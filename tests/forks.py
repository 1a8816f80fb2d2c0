"""Runs of the command line in forks of one process that has everything loaded.

So a run takes as long as its work, and what happens to it does not depend on how much
memory or time the loading of libraries takes.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geolip

_PACKAGE = Path(geolip.__file__).parent
FC = str(Path(__file__).parents[1] / "models" / "digits_fc.onnx")


@dataclass(frozen=True)
class Ended:
    """How a run ended; the code of one that a signal has killed is negative."""

    code: int
    stdout: str
    stderr: str

    @property
    def is_one_error(self) -> bool:
        """Whether it failed with nothing but one line on stderr."""
        one = self.stderr.startswith("geolip: ") and self.stderr.count("\n") == 1
        return self.code in (2, 3, 4) and one


class Forks:
    """Starts runs, one at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(
        self,
        *arguments: str,
        memory: int | None = None,
        number: int | None = None,
        after: float = 0.0,
        forever: bool = False,
    ) -> Ended:
        """Run once, or over and over; kill it then, or let it have so many bytes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        plan = {"arguments": arguments, "memory": memory, "forever": forever}
        plan |= {"number": number, "after": after}
        self._process.stdin.write(json.dumps(plan) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def forks() -> Iterator[Forks]:
    """Start the process to fork from."""
    command = [sys.executable, __file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Forks(process)
        assert process.stdin is not None
        process.stdin.close()


def _serve() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    from geolip import memory
    from geolip.cli import main

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "c.json")
        warm = [["certify", FC, "--certificate", path, "--exact"], ["verify", FC, path]]
        with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryFile() as sink:
            kept = os.dup(2)
            os.dup2(sink.fileno(), 2)
            for arguments in warm:
                main(arguments, standalone_mode=False)
            os.dup2(kept, 2)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Enough for the libraries, which are loaded.
    memory._ROOM = 0
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_end(main, **json.loads(line))) + "\n")
        sys.stdout.flush()


def _end(
    main: Any,
    arguments: list[str],
    memory: int | None,
    forever: bool,
    number: int | None,
    after: float,
) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            if memory is not None:
                # Not on every system.
                import resource

                pages = int(Path("/proc/self/statm").read_text().split()[0])
                limit = pages * resource.getpagesize() + memory
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            code = _run(main, arguments)
            while forever:
                code = _run(main, arguments)
            os._exit(code)
        if number is not None:
            time.sleep(after)
            os.kill(child, number)
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "stdout": texts[0], "stderr": texts[1]}


def _run(main: Any, arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        begun = any(Path(frame.filename).parent == _PACKAGE for frame in frames)
        # Before and after the command, click lets an interrupt through.
        if begun or not isinstance(error, KeyboardInterrupt):
            traceback.print_exc()
        code = 1
    with contextlib.suppress(MemoryError):
        sys.stdout.flush()
    return code


if __name__ == "__main__":
    _serve()
