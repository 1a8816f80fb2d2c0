"""What the command line refuses, with which exit code and message."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import FC, QUICK, one_line, refused, run
from onnx import helper
from stored_models import build, stored

from geolip import backend

# Wrong usage: exit code 2 -----------------------------------------------------------


def written(value: Any) -> str:
    """Return the name of a case: its arguments, the model's path left out."""
    return " ".join(a for a in value if a != FC) if isinstance(value, list) else ""


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--solver", "frobnicate"], "lifted"),
        (["--solver", "_cvxpy"], "lifted"),
        (["--solver", "../lifted"], "lifted"),
        (["--method", "frobnicate"], "geolip"),
        (["--method", "lipsdp"], "lipsdp"),
        (["--norm", "3"], "1, 2, inf"),
        (["--norm", ""], "1, 2, inf"),
        (["--norm", "2:2:2"], "1, 2, inf"),
        (["--rows", "10"], "0 to 9"),
        (["--rows", "-1"], "0 to 9"),
        (["--rows", "0", "--norm", "2"], "rows"),
        (["--limit", "size=3"], "expected memory or seconds"),
        (["--limit", "memory=8G"], "memory must be positive"),
        (["--limit", "seconds=0"], "seconds must be positive"),
        (["--accuracy", "0"], "accuracy"),
        (["--accuracy", "-1"], "accuracy"),
        (["--accuracy", "nan"], "accuracy"),
        (["--accuracy", "inf"], "accuracy"),
        (["--time-limit", "0"], "time limit"),
        (["--time-limit", "-5"], "time limit"),
        (["--time-limit", "nan"], "time limit"),
        (["-S", "frobnicate=1"], "frobnicate"),
        (["-S", "rank=0"], "rank"),
        (["-S", "rank=many"], "integer"),
        (["-S", "rank=null"], "integer"),
        (["-S", "rank=1e999"], "integer"),
    ],
    ids=written,
)
def test_wrong_values(arguments: Sequence[str], part: str) -> None:
    assert part in one_line(refused(2, "certify", FC, *arguments))


def test_negative_seed() -> None:
    assert "seed" in refused(2, *QUICK, "--seed", "-1")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["certify", FC, "--rows", "first"], "0,3"),
        (["certify", FC, "--rows", ""], "0,3"),
        (["certify", FC, "--rows", "1,,2"], "0,3"),
        (["certify", FC, "--time-limit", "soon"], "10m"),
        (["certify", FC, "--time-limit", "m"], "10m"),
        (["certify", FC, "--time-limit", ""], "10m"),
        (["certify", FC, "--accuracy", "fine"], "--accuracy"),
        (["certify", FC, "--seed", "1.5"], "--seed"),
        (["certify", FC, "-S", "rank"], "key=value"),
        (["certify", FC, "-S", "=1"], "key=value"),
        (["certify", FC, "--frobnicate"], "--frobnicate"),
        (["certify"], "MODEL"),
        (["certify", FC, FC], "argument"),
        (["inspect"], "MODEL"),
        (["frobnicate"], "frobnicate"),
    ],
    ids=lambda value: (
        " ".join(value[:1] + value[2:]) if isinstance(value, list) else ""
    ),
)
def test_wrong_syntax(arguments: Sequence[str], part: str) -> None:
    message = refused(2, *arguments)
    assert message.splitlines()[0].startswith("Usage: ")
    assert part in message.splitlines()[-1]


@pytest.mark.parametrize("command", ["certify", "inspect"])
def test_missing_file_and_directory(command: str, tmp_path: Path) -> None:
    message = one_line(refused(2, command, str(tmp_path / "nowhere.onnx")))
    assert "nowhere.onnx does not exist" in message
    assert "is a directory" in one_line(refused(2, command, str(tmp_path)))


def test_unknown_option_of_a_third_party_solver() -> None:
    pytest.importorskip("scs")
    message = refused(2, *QUICK, "--solver", "scs", "-S", "frobnicate=1")
    assert "frobnicate" in one_line(message)


# Models that cannot be read: exit code 3 --------------------------------------------


commands = pytest.mark.parametrize("command", ["certify", "inspect"])


@commands
def test_text_file(command: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.onnx"
    path.write_text("This is no network.\n")
    assert "notes.onnx is not an ONNX model" in one_line(refused(3, command, str(path)))


@commands
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_truncated_file(command: str, share: float, tmp_path: Path) -> None:
    content = Path(FC).read_bytes()
    path = tmp_path / "half.onnx"
    path.write_bytes(content[: int(share * len(content))])
    one_line(refused(3, command, str(path)))


@commands
def test_weights_that_are_not_finite(command: str, tmp_path: Path) -> None:
    W = np.full((3, 2), np.nan, np.float32)
    model = build(helper.make_node("MatMul", ["x", "w"], ["y"]), w=W)
    message = one_line(refused(3, command, stored(model, tmp_path)))
    assert "NaN" in message
    assert "'w'" in message


@commands
def test_empty_graph(command: str, tmp_path: Path) -> None:
    model = helper.make_model(helper.make_graph([], "empty", [], []))
    assert "no input" in one_line(refused(3, command, stored(model, tmp_path)))


@commands
def test_everything_unsupported_is_listed(command: str, tmp_path: Path) -> None:
    model = build(
        helper.make_node("Exp", ["x"], ["a"], name="grow"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Sign", ["b"], ["c"]),
        helper.make_node("Tanh", ["x"], ["d"]),
        helper.make_node("Mul", ["d", "d"], ["e"], name="square"),
        helper.make_node("Sum", ["c", "e"], ["y"]),
    )
    result = run(command, stored(model, tmp_path))
    assert result.exit_code == 3
    # What is known of the nodes is what `inspect` is asked for.
    assert bool(result.stdout) is (command == "inspect")
    first, *others = result.stderr.splitlines()
    assert first == "geolip: 3 nodes are not supported:"
    nodes = [line.partition(": ")[0] for line in others]
    assert nodes == ["  Exp 'grow'", "  Sign 'c'", "  Mul 'square'"]


# Solvers that cannot run: exit code 4 -----------------------------------------------


def test_solver_that_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.get("scs"), "usable", lambda: "not installed: buy it")
    message = one_line(refused(4, *QUICK, "--solver", "scs"))
    assert "solver scs is not usable: not installed: buy it" in message


@pytest.mark.parametrize("installed", [True, False])
def test_mosek_without_licence(
    installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = None if installed else "not installed: pip install mosek"
    monkeypatch.setattr(
        backend.get("mosek"),
        "missing",
        lambda *packages: absent if "mosek" in packages else None,
    )
    monkeypatch.delenv("MOSEKLM_LICENSE_FILE", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    message = one_line(refused(4, *QUICK, "--solver", "mosek"))
    assert ("no licence" if installed else "pip install") in message
