"""The command that sets all methods side by side."""

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
from cli_runs import FC, MODELS, one_line, refused, run, succeeded
from fake_methods import put_in_place, saying
from onnx import helper
from stored_models import build, stored

import geolip
from geolip import methods
from geolip.comparison import SCHEMA
from geolip.methods import Label
from geolip.plot import _apart, picture

# Two methods of some milliseconds.
QUICK = ("bounds", FC, "--method", "norm_product", "--method", "gradient")


def table(text):
    """Return the cells of all rows that begin with a number."""
    rows = [line.split() for line in text.splitlines()[4:]]
    return [row for row in rows if row and row[0].replace(".", "").isdigit()]


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_every_method_of_the_folder_is_in_the_table(norm):
    text = succeeded("bounds", FC, "--norm", norm)
    values = [float(row[0]) for row in table(text) if len(row) > 4]
    assert values == sorted(values, reverse=True)
    for name in methods.names():
        assert any(name in line.split() for line in text.splitlines()), name
    assert text.startswith(f"{FC}: 64 inputs, 10 outputs")
    assert f"l_{norm} -> l_{norm}" in text


def test_chosen_methods_alone_run():
    rows = table(succeeded(*QUICK))
    assert [row[4] for row in rows if len(row) > 4] == ["norm_product", "gradient"]


def test_json_on_stdout_and_in_a_file(tmp_path):
    path = tmp_path / "bounds.json"
    content = json.loads(succeeded(*QUICK, "--json", "--output", str(path)))
    assert content["schema"] == SCHEMA
    assert json.loads(path.read_text()) == content
    assert [row["label"] for row in content["rows"]] == ["certified", "lower"]
    assert content["rows"][1]["ratio"] == 1.0


def test_a_seed_makes_runs_repeatable():
    runs = [json.loads(succeeded(*QUICK, "--seed", "5", "--json")) for _ in range(2)]
    values = [[row["value"] for row in content["rows"]] for content in runs]
    assert values[0] == values[1]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--method", "k5"], "norm_product"),
        (["--method", "../k3"], "norm_product"),
        (["--time-limit", "0"], "time limit"),
        (["--time-limit", "-1"], "time limit"),
        (["--time-limit", "nan"], "time limit"),
        (["--accuracy", "0"], "accuracy"),
        (["--seed", "-1"], "seed"),
        (["--norm", "3"], "unknown norm"),
        (["--limit", "size=3"], "memory or seconds"),
        (["--output", "nowhere/x.json"], "cannot write"),
        (["--plot", "nowhere/x.png"], "cannot write"),
        (["--output-name", "frobnicate"], "frobnicate"),
    ],
)
def test_wrong_usage(arguments, part):
    assert part in one_line(refused(2, "bounds", FC, *arguments))


def test_a_missing_model():
    assert "nowhere.onnx" in one_line(refused(2, "bounds", "nowhere.onnx"))


def test_methods_that_all_refuse():
    message = refused(4, "bounds", FC, "--norm", "2", "--method", "geolip_dual")
    assert "geolip_dual: takes l_inf or l_1 inputs, not l_2" in message


def test_a_plot_needs_matplotlib_before_anything_runs(monkeypatch, tmp_path):
    found = {"matplotlib": None}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found.get(name))
    monkeypatch.setattr("geolip.comparing.compare", None)
    message = refused(2, *QUICK, "--plot", str(tmp_path / "x.png"))
    assert "pip install 'geolip[report]'" in one_line(message)


def test_the_plot_is_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "bounds.png"
    succeeded(*QUICK, "--plot", str(path))
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[i : i + 4], "big") for i in (16, 20))
    assert width > 800
    assert height > 400


def test_a_plot_of_nothing_but_zeros():
    pytest.importorskip("matplotlib")
    weights = [np.zeros((2, 3)), np.ones((1, 2))]
    comparison = geolip.compare(weights, only=["norm_product", "gradient"])
    assert [row.answer.value for row in comparison.rows] == [0.0, 0.0]
    assert picture(comparison).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "heights", [[1.0], [0.5] * 9, [0.9, 0.02, 0.01, 0.0], [1.2, -0.1]]
)
def test_names_in_the_plot_are_apart_and_inside(heights):
    placed = _apart(heights)
    assert all(a - b >= 0.05 - 1e-12 for a, b in pairwise(placed))
    assert 0 <= placed[-1] <= placed[0] <= 1


def test_a_contradiction_is_loud(monkeypatch):
    low, up = saying(2.0, Label.LOWER), saying(1.0, Label.CERTIFIED)
    put_in_place(monkeypatch, low=low, up=up)
    done = run("bounds", FC, "--json")
    assert done.exit_code == 1
    assert "CONTRADICTION: low proves at least 2.0 and up at most 1.0" in one_line(
        done.stderr
    )
    assert json.loads(done.stdout)["contradiction"].startswith("low proves")


def test_a_model_with_a_softmax_is_bounded_without_and_says_so(tmp_path):
    text = succeeded("bounds", softmax_model(tmp_path), *QUICK[2:])
    assert "note: all numbers are of what Softmax reads, times" in text


def softmax_model(folder):
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["z"]),
        helper.make_node("Relu", ["z"], ["r"]),
        helper.make_node("Softmax", ["r"], ["y"]),
    ]
    return stored(build(*nodes, W=np.eye(3, dtype=np.float32)), folder)


_PAUSED = """
import pathlib, sys, time
from geolip.cli import main
from geolip.methods import gradient

def answer(question):
    pathlib.Path(sys.argv.pop()).touch()
    time.sleep(60)

gradient.answer = answer
main(sys.argv[1:-1])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_table_by_then(number, tmp_path):
    begun = tmp_path / "begun"
    command = [sys.executable, "-c", _PAUSED, *QUICK, "--json", str(begun)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while not begun.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    content = json.loads(out)
    assert process.returncode == 0
    assert content["interrupted"] is True
    assert [row["name"] for row in content["rows"]] == ["norm_product"]


def test_the_shipped_networks_are_all_taken():
    for path in sorted(MODELS.glob("*.onnx")):
        text = succeeded("bounds", str(path), "--method", "norm_product")
        assert "norm_product" in text
