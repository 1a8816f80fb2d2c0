"""The commands that only inform: `inspect`, `solvers`, help and the version."""

import json
from importlib import metadata

import numpy as np
import pytest
from cli_runs import MODELS, SHIPPED, succeeded

from geolip import backend
from geolip.cli import main


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
