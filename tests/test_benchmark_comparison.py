"""The comparison: cases that fail, runs that are resumed, what a report says."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import render
from cli_runs import MODELS
from comparison import analysis, processes, running, summary
from comparison.records import Records
from comparison.running import Case, Conditions
from comparison.tools import Kind, Tool

SCRIPT = MODELS.parent / "benchmarks" / "compare.py"
RUN = {
    "run": 1,
    "unit_seconds": 0.5,
    "date": "2026-01-01",
    "commit": "c",
    "cpu": "a processor",
    "cores": 2,
    "threads": 1,
    "memory_mb": 4096,
    "platform": "a system",
    "blas": "a library",
    "versions": {"geolip": "0"},
}


def case(tool: str, value: float, label: str, **more: Any) -> dict[str, Any]:
    facts = {
        "family": "square",
        "network": "depth 1",
        "norm": "inf",
        "tool": tool,
        "kind": Kind.METHOD.value,
        "size": 1,
        "exact": 1.5,
        "commit": "c",
        "run": 1,
    }
    found = {"value": value, "label": label, "seconds": 0.25, "peak_mb": 80.0}
    return {**facts, **found, **more}


CASES = (
    case(
        "geolip certify",
        2.0,
        "certified",
        kind=Kind.CERTIFY.value,
        lower=1.4,
        fgl_lower=1.9,
    ),
    case("gradients", 1.5, "lower"),
    case("a solver", 1.2, "estimate", kind=Kind.PAPER.value),
    case("another solver", 1.6, "estimate", kind=Kind.PAPER.value),
    case("norm product", 3.0, "certified", note="explicit maxima 4, implicit 3"),
)


def test_ratios_are_to_the_best_of_what_is_proved() -> None:
    assert analysis.truth(CASES) == analysis.Truth(1.5, 1.9, 2.0)
    solver, other = analysis.with_ratios(CASES, {1: 0.5})[2:4]
    assert solver["over_lower"] == pytest.approx(0.8)
    assert solver["over_bound"] == pytest.approx(0.6)
    assert solver["units"] == 0.5
    assert (solver["below_truth"], solver["below_fgl"]) == (True, True)
    assert (other["below_truth"], other["below_fgl"]) == (False, True)


def test_estimates_prove_nothing() -> None:
    truth = analysis.truth([case("a solver", 1.2, "estimate")])
    assert truth == analysis.Truth(0.0, 0.0, None)


def test_exponents() -> None:
    cases = [case("t", 1.0, "certified", size=n, seconds=n**3 / 8) for n in (1, 2, 4)]
    power = analysis.fit(cases)
    assert power is not None
    assert power.points == 3
    assert power.exponent == pytest.approx(3.0)
    assert power.residual == pytest.approx(1.0)
    assert analysis.fit(cases[:2]) is None


def test_report_renders(tmp_path: Path) -> None:
    failed = {"tool": "a third", "failed": "ended | after 5 s"}
    refused = {"tool": "a fourth", "refused": "takes chains"}
    silent = [
        {k: v for k, v in {**CASES[4], **why}.items() if k not in ("value", "label")}
        for why in (failed, refused)
    ]
    lines = [json.dumps(record) for record in (RUN, *CASES, *silent)]
    # The last line was cut short by an interruption.
    (tmp_path / "results.jsonl").write_text("\n".join([*lines, '{"fam']))
    findings = render.write(tmp_path)
    words = " ".join(findings.split())
    assert "Of 2 values that are not proved, 1 is below a proved lower bound" in words
    assert "(the worst by 0.2 of it). 2 are below one of the formal constant" in words
    assert "Of 2 certified values, none is below" in words
    report = (tmp_path / "report.md").read_text()
    assert findings in report
    for said in (
        "**0.8**",
        "*1.0667 low*",
        "ended \\| after 5 s",
        "takes chains",
        "explicit maxima 4, implicit 3",
    ):
        assert said in report
    first = json.loads((tmp_path / "results.jsonl").read_text().splitlines()[1])
    assert first["over_lower"] == pytest.approx(4 / 3)
    render.write(tmp_path)
    assert (tmp_path / "report.md").read_text() == report


def test_short_table_is_put_between_its_marks() -> None:
    cases = analysis.with_ratios(CASES, {1: 0.5})
    page = f"before\n{summary.BEGIN}\nold\n{summary.END}\nafter\n"
    once = summary.placed(page, cases)
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "old" not in once
    assert "a solver" in once
    assert "gradients" not in once
    assert summary.placed(once, cases) == once
    with pytest.raises(ValueError, match="once"):
        summary.placed("no marks", cases)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("raise", "ValueError: this is why"),
        ("die", "killed by SIGKILL"),
        ("leave", "exit code 3"),
        ("sleep", "ended after 1 s without an answer"),
    ],
)
def test_whatever_a_case_does_is_told(way: str, said: str) -> None:
    limit = 1 if way == "sleep" else 60
    task = {"way": way, "memory_limit": 2**33}
    outcome = processes.run("crashing_cases", task, limit, sys.executable)
    assert said in outcome["failed"]


def test_what_a_case_prints_is_not_its_answer() -> None:
    task = {"way": "print", "memory_limit": 2**33}
    outcome = processes.run("crashing_cases", task, 60, sys.executable)
    assert outcome["value"] == 1.0


def cases_of(tool: Tool, count: int = 3) -> list[Case]:
    return [
        Case(
            tool,
            Path("m.onnx"),
            Path("m.npz"),
            {"network": f"n{k}", "sha256": str(k), "norm": "2", "tool": tool.title},
            None,
        )
        for k in range(count)
    ]


CONDITIONS = Conditions({"family": "f", "run": 1, "commit": "c"}, 1.0, 10**9, True)


def test_finished_cases_are_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(module: str, task: dict[str, Any], *_: Any) -> dict[str, Any]:
        asked.append(task["model"])
        return {"value": 1.0, "label": "certified", "seconds": 0.1}

    monkeypatch.setattr(processes, "run", run)
    cases = cases_of(Tool("t", Kind.METHOD, "m"))
    path = tmp_path / "results.jsonl"
    running.work(cases[:2], Records.read(path), CONDITIONS)
    running.work(cases, Records.read(path), CONDITIONS)
    assert len(asked) == 3
    assert len(Records.read(path).cases) == 3
    other = Conditions({**CONDITIONS.facts, "commit": "d"}, 1.0, 10**9, True)
    running.work(cases, Records.read(path), other)
    assert len(asked) == 6


def test_a_tool_that_fails_is_not_tried_on_larger_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "run", lambda *_: {"failed": "no memory"})
    records = Records(tmp_path / "results.jsonl")
    running.work(cases_of(Tool("t", Kind.METHOD, "m")), records, CONDITIONS)
    told = [record["failed"] for record in records.cases]
    assert told == ["no memory", *["not tried, as it failed on the smaller n0"] * 2]


def test_nothing_is_written_after_an_interruption(tmp_path: Path) -> None:
    records = Records(tmp_path / "results.jsonl")
    records.close()
    records.add({"network": "n"})
    assert not records.path.exists()


def test_comparison_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "good.onnx").write_bytes((MODELS / "digits_fc.onnx").read_bytes())
    (folder / "bad.onnx").write_bytes(b"not a model")
    command = [sys.executable, SCRIPT, "--networks", folder, "--only", "norm product"]
    command += ["--output", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "left out: bad.onnx" in done.stderr
    assert done.stdout.startswith("## Findings")
    cases = Records.read(tmp_path / "out" / "results.jsonl").cases
    assert [c["norm"] for c in cases] == ["inf", "2"]
    assert all(c["label"] == "certified" for c in cases)
