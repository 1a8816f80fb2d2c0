"""The benchmarks run."""

import subprocess
import sys
from pathlib import Path

from cli_runs import FC, MODELS


def output(script: str, *arguments: object) -> str:
    """Run a benchmark in a process of its own, and return what it prints."""
    path = MODELS.parent / "benchmarks" / script
    command = [sys.executable, path, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_solvers_run_by_default(tmp_path: Path) -> None:
    """Its cases call the package from other processes, where types do not reach."""
    assert "failed" not in output(
        "run.py", FC, "--solver", "lifted", "--output", tmp_path
    )
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert (tmp_path / "results.md").exists()


def test_verifying_is_measured_beside_certifying() -> None:
    *_, row = output("verifying.py", FC, "--repeat", 1).splitlines()
    name, proofs, *seconds, share, memory = row.strip("| ").split(" | ")
    assert (name, proofs) == (Path(FC).stem, "10")
    assert all(float(number) > 0 for number in seconds)
    assert share.endswith("%")
    assert memory == "-" or int(memory) > 0
