"""The command line as a process: its streams, its exit code, what it imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_runs import QUICK, command_line, one_line
from onnx import helper
from stored_models import build, stored


def test_result_on_stdout_alone() -> None:
    answer = command_line(*QUICK, "--json", capture_output=True)
    assert answer.returncode == 0
    assert answer.stderr == ""
    assert json.loads(answer.stdout)["bound"] > 0


def test_exit_code_of_the_process(tmp_path: Path) -> None:
    answer = command_line("certify", str(tmp_path), capture_output=True)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "is a directory" in one_line(answer.stderr)


def test_log_of_a_third_party_solver_on_stderr(tmp_path: Path) -> None:
    pytest.importorskip("scs")
    model = build(
        helper.make_node("MatMul", ["x", "v"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w"], ["y"]),
        v=np.array([[1, 2], [-3, 1], [1, 1]], np.float32),
        w=np.array([[1], [-2]], np.float32),
    )
    arguments = ["certify", stored(model, tmp_path), "--solver", "scs", "--json"]
    quiet = command_line(*arguments, capture_output=True)
    assert quiet.stderr == ""
    loud = command_line(*arguments, "--verbose", capture_output=True)
    assert "SCS" in loud.stderr
    assert json.loads(quiet.stdout)["bound"] == json.loads(loud.stdout)["bound"] > 0


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_on_a_terminal(quiet: bool) -> None:
    pty = pytest.importorskip("pty")
    terminal, end = pty.openpty()
    try:
        quietly = ["--quiet"] if quiet else []
        answer = command_line(
            *QUICK, "--json", *quietly, stdout=subprocess.PIPE, stderr=end
        )
        # So that reading ends even if nothing was written.
        os.write(end, b"end")
        shown = b""
        while not shown.endswith(b"end"):
            shown += os.read(terminal, 10_000)
    finally:
        os.close(terminal)
        os.close(end)
    assert json.loads(answer.stdout)["bound"] > 0
    if quiet:
        assert shown == b"end"
    else:
        assert b"output 0: " in shown
        # The line is wiped at the end.
        assert shown.split(b"\r")[-2].strip() == b""


HEAVY = ["cvxpy", "scs", "clarabel", "mosek", "torch", "onnxruntime", "onnx"]


@pytest.mark.parametrize(
    "code",
    [
        "import geolip",
        "import geolip.cli",
        "from geolip.cli import main; main(['--help'], standalone_mode=False)",
        "from geolip.cli import main; main(['solvers'], standalone_mode=False)",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    script = f"{code}\nimport sys; sys.stderr.write(' '.join(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0, answer.stderr
    assert "geolip" in answer.stderr.split()
    assert sorted(set(HEAVY) & set(answer.stderr.split())) == []
