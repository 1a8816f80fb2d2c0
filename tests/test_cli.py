"""The command line: what is printed where, and every exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import geolip.certification
from geolip import backend
from geolip.cli import main
from geolip.errors import UsageError

MODELS = Path(__file__).parents[1] / "models"
FC = str(MODELS / "digits_fc.onnx")
SHIPPED = sorted(path.name for path in MODELS.glob("*.onnx"))

# One output of the smallest network: a certification of some milliseconds.
QUICK = ("certify", FC, "--rows", "0")


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result


def succeeded(*arguments: str) -> str:
    """Return stdout of a command that must succeed and say nothing on stderr."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def refused(exit_code: int, *arguments: str) -> str:
    """Return the message of a command that must fail, with nothing on stdout."""
    result = run(*arguments)
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    assert result.stderr.strip()
    return result.stderr


def one_line(message: str) -> str:
    """Return geolip's own message, which must be of one line."""
    assert message.startswith("geolip: ")
    assert message.count("\n") == 1
    assert message.endswith("\n")
    return message


def command_line(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from geolip.cli import main; main()", *arguments]
    return subprocess.run(command, text=True, timeout=60, **options)


# certify ----------------------------------------------------------------------------


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


# Files ------------------------------------------------------------------------------


def test_output_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    text = succeeded(*QUICK, "--output", str(path))
    assert "at most" in text
    assert json.loads(path.read_text())["schema"] == "geolip.report/1"
    assert path.read_text().endswith("}\n")
    assert list(tmp_path.iterdir()) == [path]
    printed = succeeded(*QUICK, "--json", "--output", str(path))
    assert printed == path.read_text()


def test_output_file_has_ordinary_permissions(tmp_path: Path) -> None:
    ordinary, path = tmp_path / "ordinary", tmp_path / "report.json"
    ordinary.touch()
    succeeded(*QUICK, "--output", str(path))
    assert path.stat().st_mode == ordinary.stat().st_mode


@pytest.mark.parametrize("name", ["no/such/folder/report.json", "file/report.json", ""])
def test_output_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run(*QUICK, "--output", str(tmp_path / name))
    assert result.exit_code == 2
    assert "cannot write" in one_line(result.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("owner", "function"), [(Path, "write_text"), (Path, "replace")]
)
def test_a_failed_write_keeps_the_earlier_file(
    owner: Any, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"earlier")

    def denied(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(owner, function, denied)
    result = run(*QUICK, "--output", str(path))
    assert result.exit_code == 2
    assert "Permission denied" in one_line(result.stderr)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


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
        (["--norm", "3"], "inf, 2"),
        (["--norm", ""], "inf, 2"),
        (["--norm", "2:2:2"], "inf, 2"),
        (["--rows", "10"], "0 to 9"),
        (["--rows", "-1"], "0 to 9"),
        (["--rows", "0", "--norm", "2"], "rows"),
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


def build(*nodes: NodeProto, **constants: Any) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3))],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(a, name) for name, a in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def stored(model: ModelProto, folder: Path) -> str:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return str(path)


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
    first, *others = refused(3, command, stored(model, tmp_path)).splitlines()
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


# The other commands -----------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_inspect(name: str) -> None:
    path = str(MODELS / name)
    lines = succeeded("inspect", path).splitlines()
    content = json.loads(succeeded("inspect", path, "--json"))
    assert lines[0].split() == [
        *("block", "name", "shape", "activation", "sector", "reads")
    ]
    assert len(lines) == 1 + 1 + len(content["layers"]) + 1 + 1
    assert lines[-1] == f"{content['neurons']} neurons"
    assert content["input"]["name"] == "input"
    assert content["output"]["name"] == "logits"
    neurons = [layer["neurons"] for layer in content["layers"]]
    assert sum(neurons) == content["neurons"] > 0
    known = [content["input"]["name"]]
    for number, layer in enumerate(content["layers"], 1):
        assert layer["block"] == number
        assert layer["neurons"] == np.prod(layer["shape"])
        assert all(read["name"] == known[read["block"]] for read in layer["reads"])
        low, high = layer["sector"]
        assert low < high
        known.append(layer["name"])


def test_solvers() -> None:
    lines = succeeded("solvers").splitlines()
    assert [line.split()[0] for line in lines] == backend.names()
    assert "lifted    usable" in lines
    content = json.loads(succeeded("solvers", "--json"))
    assert [row["name"] for row in content] == backend.names()
    for row in content:
        assert row["usable"] is (row["reason"] is None)
    assert {"name": "lifted", "usable": True, "reason": None} in content


def test_solvers_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.get("scs"), "usable", lambda: "not installed: buy it")
    assert "scs       not installed: buy it" in succeeded("solvers").splitlines()
    rows = json.loads(succeeded("solvers", "--json"))
    reason = "not installed: buy it"
    assert {"name": "scs", "usable": False, "reason": reason} in rows


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option: str) -> None:
    text = succeeded(option)
    for command in main.commands:
        assert command in text
        assert succeeded(command, option).startswith(f"Usage: main {command} ")


def test_version() -> None:
    assert metadata.version("geolip") in succeeded("--version")


# As a process -----------------------------------------------------------------------


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


# The benchmark ----------------------------------------------------------------------


def test_benchmark_runs_by_default(tmp_path: Path) -> None:
    """Its cases call the package from other processes, where types do not reach."""
    script = MODELS.parent / "benchmarks" / "run.py"
    command = [sys.executable, script, FC, "--solver", "lifted", "--output", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "failed" not in done.stdout
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert (tmp_path / "results.md").exists()
