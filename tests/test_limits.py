"""Too little memory, and kills at any moment: a valid result, or one clear error."""

import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from forks import FC, Ended, Forks, forks
from onnx import TensorProto, helper, numpy_helper

from geolip import bounding, certification, checking
from geolip.certificate import Certificate
from geolip.checking import check

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")

MEBI = 2**20


@pytest.fixture(scope="module")
def started():
    with forks() as running:
        yield running


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """Return a random network of 600 neurons."""
    random, path = np.random.default_rng(0), tmp_path_factory.mktemp("m") / "m.onnx"
    sizes, nodes, tensors, name = (100, 300, 300, 1), [], [], "x"
    for k, (n, m) in enumerate(pairwise(sizes)):
        W = random.standard_normal((n, m)).astype(np.float32) / np.float32(n**0.5)
        tensors.append(numpy_helper.from_array(W, f"W{k}"))
        nodes.append(helper.make_node("MatMul", [name, f"W{k}"], [f"a{k}"]))
        nodes.append(helper.make_node("Relu", [f"a{k}"], [name := f"r{k}"]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("x", 100), (name, 1))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return str(path)


LIMITS = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 256]


def sweep(started: Forks, *arguments: str) -> list[Ended]:
    """Return how runs in more and more memory end; all but the last may fail."""
    ends = [started.run(*arguments, memory=n * MEBI) for n in LIMITS]
    for limit, end in zip(LIMITS, ends, strict=True):
        if end.code:
            assert end.is_one_error, (limit, end)
            assert end.stdout == "", (limit, end)
        else:
            assert end.stderr == "", (limit, end)
            json.loads(end.stdout)
    assert ends[0].code != 0
    assert ends[-1].code == 0
    return ends


def test_certify_in_little_memory(started, model, tmp_path):
    path = tmp_path / "c.json"
    arguments = ["certify", model, "--accuracy", "0.1", "--json", "--exact"]
    ends = sweep(started, *arguments, "--certificate", str(path))
    bounds = [json.loads(end.stdout)["bound"] for end in ends if end.code == 0]
    lower = json.loads(ends[-1].stdout)["lower_bound"]
    assert min(bounds) >= lower
    assert any("memory" in end.stderr for end in ends)
    assert Certificate.load(path).bound == bounds[-1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.json"]


def test_verify_in_little_memory(started, model, tmp_path):
    path = tmp_path / "c.json"
    done = started.run(
        "certify", model, "--accuracy", "0.1", "--certificate", str(path)
    )
    assert done.code == 0
    for mode in ([], ["--float"]):
        ends = sweep(started, "verify", model, str(path), "--json", *mode)
        found = {json.loads(end.stdout)["bound"] for end in ends if end.code == 0}
        assert found == {Certificate.load(path).bound}
        assert any("out of memory" in end.stderr for end in ends)


@pytest.mark.parametrize(
    ("error", "word"),
    [(MemoryError, "out of memory"), (KeyboardInterrupt, "interrupted")],
)
def test_a_report_does_not_depend_on_the_exact_check(error, word, monkeypatch):
    def short(*_, **__):
        raise error

    monkeypatch.setattr(checking, "check", short)
    report = certification.certify(FC, "inf", rows=[0], exact=True)
    assert report.trust == "rigorous-float"
    assert report.certificate is not None
    assert f"not checked in exact arithmetic: {word}" in report.notes


@pytest.mark.parametrize("command", [["certify", FC], ["verify", FC, "c.json"]])
def test_a_process_that_cannot_load_its_libraries_says_so(command):
    """And does not wait for ever, as OpenBLAS may where it can have no memory."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from geolip.cli import main\n"
        "pages = int(Path('/proc/self/statm').read_text().split()[0])\n"
        "limit = pages * resource.getpagesize() + 100 * 2**20\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "main()"
    )
    command = [sys.executable, "-c", code, *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert Ended(done.returncode, done.stdout, done.stderr).is_one_error
    assert "out of memory" in done.stderr


# Kills ------------------------------------------------------------------------------


def test_a_killed_run_leaves_whole_files(started, tmp_path):
    """The old ones or new ones, and besides at most a draft that is called so."""
    report, proof = tmp_path / "r.json", tmp_path / "c.json"
    arguments = ["certify", FC, "--output", str(report), "--certificate", str(proof)]
    assert started.run(*arguments).code == 0
    names = {"r.json", "c.json", "r.json.partial"}
    for after in np.random.default_rng(0).uniform(0, 0.6, 12):
        kill = {"number": signal.SIGKILL, "after": float(after), "forever": True}
        assert started.run(*arguments, **kill).code == -signal.SIGKILL
        bound = json.loads(report.read_text())["bound"]
        assert Certificate.load(proof).bound == bound
        for entry in tmp_path.iterdir():
            assert entry.name in names or entry.suffix == ".tmp"
    check(FC, Certificate.load(proof))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_reports_what_it_has(started, number):
    """Or, where it has not begun, says so."""
    arguments = ["certify", FC, "--json", "--exact", "--accuracy", "1e-16"]
    arguments += ["--solver", "lifted", "-S", "max_iterations=100000000"]
    for after in np.linspace(0.0, 0.4, 14):
        end = started.run(*arguments, number=number, after=float(after))
        # Before the command has begun, it is just gone.
        if end.code in (-number, 1) and end.stderr in ("", "\nAborted!\n"):
            assert end.stdout == ""
            continue
        if end.code:
            assert end.is_one_error, (after, end)
            assert "interrupted" in end.stderr
            continue
        content = json.loads(end.stdout)
        assert content["lower_bound"] <= content["bound"] < float("inf")
        stopped = any(o["status"] == "interrupted" for o in content["outputs"])
        assert not stopped or any("interrupted" in n for n in content["notes"])


@pytest.mark.parametrize(
    "step", ["largest_pattern", "largest_gradient", "norm_product"]
)
def test_a_step_that_is_interrupted_is_done_again(step, monkeypatch):
    real, calls = getattr(bounding, step), []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(*arguments)

    expected = certification.certify(FC, "inf", rows=[0, 1])
    monkeypatch.setattr(bounding, step, interrupted)
    report = certification.certify(FC, "inf", rows=[0, 1])
    assert any("interrupted" in note for note in report.notes)
    # The first output is as it would have been; no solver ran for the second.
    assert report.outputs[0].bound == expected.outputs[0].bound
    assert report.outputs[0].lower_bound == expected.outputs[0].lower_bound
    assert report.outputs[1].status == "interrupted"
    assert report.outputs[1].bound >= expected.outputs[1].lower_bound


def test_an_interrupted_check_accepts_nothing(started, tmp_path):
    path = str(tmp_path / "c.json")
    assert started.run("certify", FC, "--certificate", path).code == 0
    for after in (0.0, 0.01, 0.02, 0.04):
        end = started.run("verify", FC, path, number=signal.SIGINT, after=after)
        assert end.code == 0 or end.is_one_error or not end.stdout, end


# Devices ----------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--certificate", "--output"])
def test_a_full_device_is_one_error(started, option):
    device = Path("/dev/full")
    end = started.run("certify", FC, option, str(device))
    assert end.is_one_error
    assert end.code == 2
    assert "cannot write /dev/full: No space left" in end.stderr
    assert device.is_char_device()
    assert not list(device.parent.glob("full?*"))


def test_a_pipe_is_written_to_and_stays_one(started, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR)
    try:
        done = started.run("certify", FC, "--output", str(path), "--json")
        assert os.read(end, 2**16).decode() == done.stdout
    finally:
        os.close(end)
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]
