"""A child process reads a model first: whatever becomes of it is one typed error."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from cli_runs import FC, QUICK, one_line, refused, succeeded
from importer_models import node
from importer_refusals import assert_wrong, build, relu_model
from importer_refusals import refused as refused_lines

from geolip import importer
from geolip.errors import GeolipError, ModelError, UnsupportedModelError, UsageError
from geolip.importer import Limits, load, rehearsal
from geolip.importer.rehearsal import rehearse

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")

SHORT = Limits(memory=2**25, seconds=0.5)
LONG = Limits(memory=2**25, seconds=20)


def segfault() -> None:
    ctypes.string_at(1)


def abort() -> None:
    os.abort()


def spin() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(1000)


def fill() -> None:
    np.ones(2**30)


def fill_slowly() -> None:
    kept = []
    while True:
        kept.append(bytes(2**20))


def protobuf_that_fills() -> None:
    content = b"\x0a\x00" * 4_000_000
    graph = b"\x3a" + bytes([0x80 | len(content) & 127, 0x80 | len(content) >> 7 & 127])
    graph += bytes([0x80 | len(content) >> 14 & 127, len(content) >> 21])
    load_here(graph + content)


def load_here(content: bytes) -> None:
    from geolip.importer import _built
    from geolip.importer.reader import fetch

    _built(fetch(content), None, None)


@pytest.mark.parametrize(
    ("work", "part"),
    [
        (segfault, "crashed its reader (SIGSEGV)"),
        (abort, "crashed its reader (SIGABRT)"),
        (spin, "0.5 seconds"),
        (sleep, "0.5 seconds"),
        (fill, "bytes of memory"),
        (fill_slowly, "bytes of memory"),
        (protobuf_that_fills, "bytes of memory"),
    ],
)
def test_a_reader_that_goes_wrong(
    work: Callable[[], None], part: str, capfd: pytest.CaptureFixture[str]
) -> None:
    start = time.monotonic()
    with pytest.raises(ModelError) as caught:
        rehearse(work, SHORT if part == "0.5 seconds" else LONG)
    assert part in str(caught.value)
    assert time.monotonic() - start < LONG.seconds
    # A crash says nothing on its own.
    assert capfd.readouterr() == ("", "")


def test_limits_hold_for_files_and_say_how_to_raise_them() -> None:
    shape = np.array([2**15, 2**15])
    nodes = [
        node("ConstantOfShape", ["shape"], ["zeros"]),
        node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        node("Add", ["x", "sum"], ["y"]),
    ]
    content = build(nodes, constants={"shape": shape}).SerializeToString()
    with pytest.raises(ModelError, match=r"ConstantOfShape.*--limit memory"):
        load(content, Limits(memory=2**28))
    with pytest.raises(ModelError, match=r"0\.0001 seconds.*--limit seconds"):
        load(content, Limits(seconds=1e-4))


@pytest.mark.parametrize("command", [["certify"], ["verify"], ["inspect"]])
def test_limits_of_every_command(command: list[str], tmp_path: Path) -> None:
    proof = str(tmp_path / "c.json")
    succeeded(*QUICK, "--certificate", proof, "--limit", "memory=1e9")
    files = [FC, proof] if command == ["verify"] else [FC]
    succeeded(*command, *files, "--limit", "seconds=20", "--limit", "memory=1e9")
    message = one_line(refused(3, *command, *files, "--limit", "seconds=1e-5"))
    assert "--limit seconds" in message


def test_errors_are_those_of_the_reader() -> None:
    model = build([node("Sign", ["x"], ["s"]), node("Exp", ["s"], ["y"])])
    assert refused_lines(model.SerializeToString()) == refused_lines(model)
    model.graph.output[0].name = "z"
    assert_wrong(model.SerializeToString(), "computed by no node")


def test_faults_of_ours_are_shown_by_the_reading_that_follows() -> None:
    def faulty() -> None:
        raise ZeroDivisionError

    rehearse(faulty, SHORT)


def test_no_child_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rehearse(signal.pause, SHORT)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture
def forgotten_children() -> Iterator[None]:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("forgotten_children")
def test_a_program_that_ignores_its_children() -> None:
    assert load(relu_model().SerializeToString()).neurons == 3
    assert_wrong(b"This is no network.", "not an ONNX model")
    with pytest.raises(ModelError, match="crashed"):
        rehearse(abort, SHORT)
    with pytest.raises(ModelError, match="seconds"):
        rehearse(spin, SHORT)


def test_a_child_that_cannot_say_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is none that has succeeded."""

    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(rehearsal, "_confine", failing)
    with pytest.raises(ModelError, match="crashed"):
        rehearse(int, SHORT)


def test_what_was_read_before_is_not_rehearsed_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    children = []
    monkeypatch.setattr(importer, "_KNOWN", set())
    monkeypatch.setattr(importer, "rehearse", lambda *given: children.append(given))

    def rehearsals(model: object, **how: object) -> int:
        children.clear()
        with suppress(GeolipError):
            load(model, **how)
        return len(children)

    content = relu_model().SerializeToString()
    assert [rehearsals(content) for _ in range(3)] == [1, 0, 0]
    assert [rehearsals(content, limits=LONG) for _ in range(2)] == [1, 0]
    assert [rehearsals(content, output_name="y") for _ in range(2)] == [1, 0]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert [rehearsals(path) for _ in range(2)] == [1, 0]
    # Others, what cannot be read, and what has parts elsewhere.
    assert rehearsals(content + b"\x32\x01a") == 1
    assert [rehearsals(b"nonsense") for _ in range(2)] == [1, 1]
    assert [rehearsals(content + b"\x32\x08location") for _ in range(2)] == [1, 1]


def test_threads_do_not_stand_in_each_others_way() -> None:
    content = relu_model().SerializeToString()
    names: list[str] = []

    def run() -> None:
        for _ in range(5):
            names.append(load(content).output_name)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert names == ["y"] * 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seconds": 0}, "seconds must be positive"),
        ({"seconds": None}, "seconds must be positive"),
        ({"memory": -1}, "memory must be positive"),
        ({"memory": float("nan")}, "memory must be positive"),
        ({"memory": "8G"}, "memory must be positive"),
        ({"size": 3}, "expected memory or seconds"),
    ],
)
def test_wrong_limits(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Limits.of(given)


def test_an_error_of_a_long_line_keeps_its_ends() -> None:
    error = UnsupportedModelError(["first " + "x" * 10**6 + " last", "other"])
    lines = str(error).split("\n")
    assert [len(line) < 2100 for line in lines] == [True] * 3
    assert lines[1].startswith("  first")
    assert lines[1].endswith("last")
