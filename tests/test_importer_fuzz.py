"""Models changed at random: each is read or refused, and hurts nobody."""

import json
import sys
from pathlib import Path

import pytest
from cli_runs import run
from fuzzing import BATCH, outcomes
from model_changes import case

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")


def assert_harmless(first: int, count: int) -> None:
    for start in range(first, first + count, BATCH):
        numbers = range(start, start + BATCH)
        found = dict(zip(numbers, outcomes(numbers), strict=True))
        assert not {n: end for n, end in found.items() if end.startswith("WRONG")}


@pytest.mark.parametrize("first", range(0, 1000, 250))
def test_changed_models(first: int) -> None:
    assert_harmless(first, 250)


@pytest.mark.slow
def test_many_changed_models() -> None:
    assert_harmless(1000, 49_000)


def test_changes_leave_enough_to_read() -> None:
    """So that what is read is not only how a file begins."""
    ends = outcomes(range(500))
    assert ends.count("read") > 50
    assert ends.count("UnsupportedModelError") > 25


@pytest.mark.parametrize("first", [0, 20, 40])
def test_changed_models_on_the_command_line(first: int, tmp_path: Path) -> None:
    path = tmp_path / "changed.onnx"
    for number in range(first, first + 20):
        path.write_bytes(case(number))
        assert_ends_well(str(path), number)


def assert_ends_well(path: str, number: int) -> None:
    """Expect a description and a report, or one error, whatever the file."""
    result = run("inspect", path, "--json", "--limit", "memory=1e9")
    # A bound takes longer than the time limit of solvers where there is much to bound.
    if result.exit_code == 0 and json.loads(result.stdout)["neurons"] < 1000:
        quick = ["--rows", "0", "--time-limit", "0.1"]
        result = run("certify", path, "--json", *quick, "--limit", "memory=1e9")
        report = json.loads(result.stdout or "null")
        assert not report or report["lower_bound"] <= report["bound"], number
    if result.exit_code == 0:
        assert result.stderr == "", number
    else:
        assert result.exit_code in (3, 4), number
        # `inspect` shows what it knows of a model that is not supported.
        assert not result.stdout or "not supported:" in result.stderr
        assert result.stderr.startswith("geolip: ")


def test_the_same_number_is_the_same_case() -> None:
    assert case(17) == case(17)
    assert case(17) != case(18)
