"""The commands that only inform: `inspect`, `solvers`, help and the version."""

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from cli_runs import MODELS, SHIPPED, run, succeeded
from onnx import helper
from stored_models import build, stored

from geolip import backend
from geolip.cli import main
from geolip.importer import load


@pytest.mark.parametrize("name", SHIPPED)
def test_inspect(name: str) -> None:
    path = str(MODELS / name)
    lines = succeeded("inspect", path).splitlines()
    content = json.loads(succeeded("inspect", path, "--json"))
    assert lines[0].split() == [
        *("block", "name", "shape", "activation", "sector", "reads"),
        *("numbers", "l_1", "l_2", "l_inf"),
    ]
    assert len(lines) == 1 + 1 + len(content["layers"]) + 1 + 2
    assert content["schema"] == "geolip.inspection/1"
    assert lines[-2].startswith(f"{len(content['nodes'])} nodes of the graph: ")
    kinds = [entry["kind"] for entry in content["nodes"]]
    assert set(kinds) <= {"folded", "linear", "activation"}
    assert kinds.count("activation") == len(content["layers"])
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


@pytest.mark.parametrize("name", SHIPPED)
def test_inspected_norms_bound_the_maps(name: str) -> None:
    path = str(MODELS / name)
    content = json.loads(succeeded("inspect", path, "--json"))
    network = load(path)
    maps = [*(block.preactivation for block in network.blocks), network.output]
    for affine, layer in zip(
        maps, [*content["layers"], content["output"]], strict=True
    ):
        for read in layer["reads"]:
            matrix = affine.terms[read["block"]].dense()
            for p, order in (("1", 1), ("2", 2), ("inf", np.inf)):
                norm = np.linalg.norm(matrix, order)
                # Of compositions, l_1 and l_inf are bounds by absolute entries.
                assert norm * (1 - 1e-12) <= read["norms"][p] <= 4 * norm


def test_inspect_of_what_is_refused(tmp_path: Path) -> None:
    model = build(
        helper.make_node("Neg", ["w"], ["v"], name="constant"),
        helper.make_node("Mul", ["x", "v"], ["a"], name="scaling"),
        helper.make_node("Exp", ["a"], ["e"], name="steep"),
        helper.make_node("Relu", ["e"], ["r"], name="behind"),
        helper.make_node("Tanh", ["a"], ["t"], name="known"),
        helper.make_node("Mul", ["r", "t"], ["y"], name="last"),
        w=np.ones(3, np.float32),
    )
    path = stored(model, tmp_path)
    result = run("inspect", path)
    assert result.exit_code == 3
    assert "Exp 'steep': has unbounded slope" in result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["node", "operator", "shape", "is", "because"]
    assert rows[1] == ["constant", "Neg", "3", "folded"]
    assert rows[2] == ["scaling", "Mul", "1x3", "linear"]
    assert rows[3][:5] == ["steep", "Exp", "refused", "has", "unbounded"]
    assert rows[4] == ["behind", "Relu", "not", "read"]
    assert rows[5] == ["known", "Tanh", "1x3", "activation"]
    assert rows[6] == ["last", "Mul", "not", "read"]
    result = run("inspect", path, "--json")
    assert result.exit_code == 3
    content = json.loads(result.stdout)
    assert content["schema"] == "geolip.inspection/1"
    assert [entry["name"] for entry in content["nodes"]] == [row[0] for row in rows[1:]]
    (refused,) = [entry for entry in content["nodes"] if entry["reason"]]
    assert (refused["name"], refused["kind"]) == ("steep", "refused")


def test_inspect_of_a_head(tmp_path: Path) -> None:
    model = build(
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Softmax", ["r"], ["y"]),
    )
    path = stored(model, tmp_path)
    lines = succeeded("inspect", path).splitlines()
    assert lines[3].split()[:3] == ["y", "1x3", "Softmax"]
    content = json.loads(succeeded("inspect", path, "--json"))
    assert content["output"]["head"] == "Softmax"
    assert [entry["kind"] for entry in content["nodes"]] == ["activation", "head"]


def test_solvers() -> None:
    lines = succeeded("solvers").splitlines()
    assert [line.split()[0] for line in lines] == backend.names()
    assert "lifted     usable" in lines
    content = json.loads(succeeded("solvers", "--json"))
    assert [row["name"] for row in content] == backend.names()
    for row in content:
        assert row["usable"] is (row["reason"] is None)
    assert {"name": "lifted", "usable": True, "reason": None} in content


def test_solvers_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.get("scs"), "usable", lambda: "not installed: buy it")
    assert "scs        not installed: buy it" in succeeded("solvers").splitlines()
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
