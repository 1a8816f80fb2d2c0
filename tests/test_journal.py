"""However a run ends, what was verified by then can be read from the disk."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import geolip
from geolip.incumbent import Look
from geolip.journal import SCHEMA, Journal

MODEL = Path(__file__).parent.parent / "models" / "digits_resnet.onnx"
ENDLESS = [
    "--solver",
    "lifted",
    "--accuracy",
    "1e-16",
    "-S",
    "max_iterations=100000000",
]


def look(verified: float, label: str = "output 0") -> Look:
    return Look(label, 1, 1.0, verified, verified, 0.1)


def test_the_best_verified_bounds_are_kept(tmp_path):
    journal = Journal(str(tmp_path / "report.json"), {"model": "m", "norm": "inf"})
    path = tmp_path / "report.json.partial"
    journal.note("a text")
    journal.note(look(float("inf")))
    assert not path.exists()
    for what in (look(3.0), look(2.0), look(5.0), look(4.0, "output 1")):
        journal.note(what)
    found = json.loads(path.read_text())
    assert found == {
        "schema": SCHEMA,
        "model": "m",
        "norm": "inf",
        "verified": {"output 0": 2.0, "output 1": 4.0},
    }
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_without_a_report_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal = Journal(None, {})
    journal.note(look(1.0))
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_does_not_stop_the_work(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    Journal(str(tmp_path / "report.json"), {}).note(look(1.0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_run_leaves_what_it_verified(tmp_path):
    report = tmp_path / "report.json"
    partial = tmp_path / "report.json.partial"
    start = "from geolip.cli import main; main()"
    command = [sys.executable, "-c", start, "certify", str(MODEL), *ENDLESS]
    run = subprocess.Popen(
        [*command, "--rows", "0", "--output", str(report)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not partial.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    assert not report.exists()
    verified = json.loads(partial.read_text())["verified"]["output 0"]
    lower = geolip.certify(MODEL, rows=[0]).lower_bound
    assert lower <= verified < float("inf")
