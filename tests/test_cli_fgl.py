"""The command `geolip fgl`: what it prints, and what it refuses."""

import json
import signal
import subprocess
import sys
import time

import pytest
from cli_runs import FC, MODELS, one_line, refused, succeeded

RUN = [sys.executable, "-c", "from geolip.cli import main; main()", "fgl"]


def test_the_constant_of_a_shipped_network(tmp_path):
    """Exact, below the certified bound, and the same from the state."""
    state = tmp_path / "state.json"
    arguments = ("fgl", FC, "--norm", "inf", "--state", str(state))
    report = json.loads(succeeded(*arguments, "--json"))
    assert report["schema"] == "geolip.formal/1"
    assert report["status"] == "exact"
    assert report["open"] == 0
    assert 0 <= report["gap"] <= 1e-6
    assert report["lower"] <= report["upper"] < report["first"]
    certified = json.loads(succeeded("certify", FC, "--json"))
    assert certified["fgl_lower_bound"] <= report["upper"] <= certified["bound"]
    text = succeeded(*arguments)
    for part in ("upper bound", "lower bound", "exact", "0 open", str(report["nodes"])):
        assert part in text


def test_a_state_of_something_else_is_refused(tmp_path):
    state = tmp_path / "state.json"
    limited = ("--time-limit", "0.5", "--state", str(state))
    succeeded("fgl", FC, *limited)
    for other in ([FC, "--norm", "2:inf"], [FC, "--accuracy", "1e-3"]):
        assert "is about another" in one_line(refused(4, "fgl", *other, *limited))
    other = str(MODELS / "digits_fc3.onnx")
    assert "another model" in one_line(refused(4, "fgl", other, *limited))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--accuracy", "0"], "accuracy"),
        (["--time-limit", "-1"], "time limit"),
        (["--norm", "3"], "unknown norm"),
        (["--seed", "-1"], "seed"),
        (["--state", "."], "cannot write"),
    ],
)
def test_wrong_values(arguments, part):
    assert part in one_line(refused(2, "fgl", FC, *arguments))


def test_an_interrupted_run_reports_and_can_go_on(tmp_path):
    """The state is there from the first bounds on; the interrupt comes after it."""
    state = tmp_path / "state.json"
    model = str(MODELS / "digits_fc3.onnx")
    arguments = [*RUN, model, "--norm", "inf", "--state", str(state), "--json"]
    with subprocess.Popen(arguments, text=True, stdout=subprocess.PIPE) as process:
        until = time.monotonic() + 50
        while not state.exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=50)
    assert process.returncode == 0
    report = json.loads(out)
    assert report["status"] in ("interrupted", "exact")
    assert 0 < report["lower"] <= report["upper"] <= report["first"]
