"""`geolip certify`: its report, its options and its gate."""

import json
from typing import Any

import numpy as np
import pytest
from cli_runs import FC, MODELS, QUICK, SHIPPED, one_line, refused, run, succeeded

import geolip.certification
from geolip.errors import UsageError


@pytest.mark.parametrize("norm", ["inf", "2", "2:inf", "inf:2"])
def test_certify(norm: str) -> None:
    text = succeeded("certify", FC, "--norm", norm)
    source, target = (norm.split(":") * 2)[:2]
    assert f"l_{source} -> l_{target}" in text
    assert "at most" in text
    assert "at least" in text
    assert "digits_fc.onnx: 64 inputs, 10 outputs, 32 neurons in 1 layer" in text


@pytest.mark.parametrize("name", SHIPPED)
def test_certify_shipped_models(name: str) -> None:
    text = succeeded("certify", str(MODELS / name), "--rows", "0", "--accuracy", "0.1")
    assert f"{name}: 64 inputs, 10 outputs" in text


def test_json() -> None:
    content = json.loads(succeeded("certify", FC, "--json", "--rows", "1,4"))
    assert content["schema"] == "geolip.report/1"
    assert content.keys() >= {
        *("model", "norm", "method", "solver", "trust", "bound", "lower_bound"),
        *("relaxation_value", "outputs", "seconds", "iterations", "versions"),
        "threads",
    }
    assert content["model"]["path"] == FC
    assert content["model"]["neurons"] == 32
    assert content["norm"] == {"input": "inf", "output": "inf"}
    assert (content["method"], content["solver"]) == ("geolip", "auto")
    assert [output["index"] for output in content["outputs"]] == [1, 4]
    assert content["bound"] == max(output["bound"] for output in content["outputs"])
    assert 0 < content["lower_bound"] <= content["bound"]
    assert content["relaxation_value"] <= content["bound"]
    stages = {"read", "build", "solve", "verify", "lower_bound", "total"}
    assert content["seconds"].keys() == stages
    for output in content["outputs"]:
        assert output["lower_bound"] <= output["fgl_lower_bound"] <= output["bound"]
        assert output["gap"] <= 1e-4


def test_the_same_seed_gives_the_same_result() -> None:
    both = [json.loads(succeeded(*QUICK, "--json", "--seed", "3")) for _ in range(2)]
    for content in both:
        del content["seconds"]
    assert both[0] == both[1]


def test_options_reach_the_solver() -> None:
    options = ("--solver", "lifted", "-S", "max_iterations=1", "-S", "rank=4")
    limited = succeeded(*QUICK, "--json", *options)
    content = json.loads(limited)
    assert content["iterations"] == 1
    assert content["outputs"][0]["status"] == "stopped at the iteration limit"
    # Whatever stopped the solver, there is a bound.
    assert 0 < content["lower_bound"] <= content["bound"]


def test_accuracy_reaches_the_solver() -> None:
    coarse = json.loads(succeeded(*QUICK, "--json", "--accuracy", "0.5"))
    fine = json.loads(succeeded(*QUICK, "--json", "--accuracy", "1e-6"))
    assert coarse["iterations"] < fine["iterations"]
    assert fine["outputs"][0]["gap"] <= 1e-6


def test_time_limit_leaves_a_bound() -> None:
    content = json.loads(succeeded(*QUICK, "--json", "--time-limit", "0.000001"))
    assert content["outputs"][0]["status"] == "stopped at the time limit"
    assert 0 < content["lower_bound"] <= content["bound"]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("90s", 90.0),
        ("10m", 600.0),
        ("1.5h", 5400.0),
        ("2 M", 120.0),
    ],
)
def test_durations(
    written: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    def stand_in(*_: Any, **options: Any) -> Any:
        seen.update(options)
        raise UsageError("enough")

    monkeypatch.setattr(geolip.certification, "certify", stand_in)
    one_line(refused(2, *QUICK, "--time-limit", written))
    assert seen["time_limit"] == seconds


# --max ------------------------------------------------------------------------------


def test_bound_above_max() -> None:
    result = run(*QUICK, "--max", "1.5")
    assert result.exit_code == 5
    assert "above --max 1.5" in one_line(result.stderr)
    # The result is printed all the same.
    assert "at most" in result.stdout


def test_bound_not_above_max() -> None:
    bound = json.loads(succeeded(*QUICK, "--json"))["bound"]
    succeeded(*QUICK, "--max", str(bound))
    assert run(*QUICK, "--max", str(np.nextafter(bound, 0))).exit_code == 5


def test_max_that_nothing_is_above() -> None:
    # A gate that is always open is a mistake, not a wish.
    assert "--max" in refused(2, *QUICK, "--max", "nan")
