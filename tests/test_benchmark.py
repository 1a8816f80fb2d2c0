"""The benchmark runs."""

import subprocess
import sys
from pathlib import Path

from cli_runs import FC, MODELS


def test_benchmark_runs_by_default(tmp_path: Path) -> None:
    """Its cases call the package from other processes, where types do not reach."""
    script = MODELS.parent / "benchmarks" / "run.py"
    command = [sys.executable, script, FC, "--solver", "lifted", "--output", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "failed" not in done.stdout
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert (tmp_path / "results.md").exists()
