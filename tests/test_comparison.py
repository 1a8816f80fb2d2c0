"""The comparison of methods: order, ratios, the alarm, and what is refused."""

import json
from functools import partial

import numpy as np
import pytest
from fake_methods import compared, put_in_place, saying

import geolip
from geolip import comparison
from geolip.comparison import Row, ordered
from geolip.errors import CertificationError, UsageError
from geolip.methods import Answer, Label


@pytest.fixture
def listing(monkeypatch):
    return partial(put_in_place, monkeypatch)


def test_rows_are_sorted_and_measured_by_the_best_lower_bound(listing):
    listing(
        weak=saying(8.0),
        tight=saying(4.0),
        low=saying(1.0, Label.LOWER),
        high=saying(2.0, Label.LOWER),
        formal=saying(3.0, Label.FGL_LOWER),
    )
    result = compared()
    assert [row.name for row in result.rows] == [
        "weak",
        "tight",
        "formal",
        "high",
        "low",
    ]
    assert result.best_upper.name == "tight"
    assert result.best_lower.name == "high"
    assert [result.ratio(row) for row in result.rows] == [4.0, 2.0, 1.5, 1.0, 0.5]
    assert result.contradiction is None


def test_without_a_gradient_the_formal_lower_bound_is_the_measure(listing):
    listing(up=saying(6.0), formal=saying(3.0, Label.FGL_LOWER))
    assert compared().best_lower.name == "formal"


def test_without_lower_bounds_there_is_no_ratio(listing):
    listing(up=saying(6.0), guess=saying(5.0, Label.ESTIMATE), zero=saying(0.0))
    result = compared()
    assert result.best_lower is None
    assert [result.ratio(row) for row in result.rows] == [None] * 3


def test_the_ruler_is_below_the_least_upper_bound(listing):
    listing(
        up=saying(6.0),
        guess=saying(5.0, Label.ESTIMATE),
        above=saying(7.0, Label.ESTIMATE),
        low=saying(1.0, Label.LOWER),
    )
    lines = str(compared()).splitlines()
    order = [line.split()[4] if line[:1] != "-" else "-" for line in lines[4:9]]
    assert order == ["above", "up", "-", "guess", "low"]


def test_printed_numbers_are_on_the_safe_side(listing):
    listing(up=saying(1 / 3), low=saying(2 / 9, Label.LOWER))
    text = str(compared())
    assert "0.3333334" in text
    assert "0.2222222" in text


def test_a_number_of_equal_value_is_first_an_upper_bound():
    rows = [
        Row(name, name, Answer(1.0, label), 0.0)
        for name, label in (("a", Label.LOWER), ("b", Label.CERTIFIED))
    ]
    assert [row.name for row in ordered(rows)] == ["b", "a"]


@pytest.mark.parametrize("label", [Label.LOWER, Label.FGL_LOWER])
@pytest.mark.parametrize("upper", [Label.CERTIFIED, Label.EXACT])
def test_a_lower_bound_above_an_upper_one_is_an_alarm(listing, label, upper):
    listing(low=saying(np.nextafter(2.0, 3.0), label), up=saying(2.0, upper))
    assert "low proves at least 2.0000000000000004" in compared().contradiction
    listing(low=saying(2.0, label), up=saying(2.0, upper))
    assert compared().contradiction is None


def test_an_estimate_below_the_truth_is_no_alarm(listing):
    listing(low=saying(2.0, Label.LOWER), guess=saying(1.0, Label.ESTIMATE))
    assert compared().contradiction is None


def test_no_answer_at_all_is_an_error_with_all_reasons(listing):
    listing(a=saying(1.0, refused="not this"), b=saying(float("nan")))
    with pytest.raises(CertificationError, match=r"a: not this\n  b: it answered nan"):
        compared()


def test_unknown_names_are_refused_before_the_model_is_read():
    with pytest.raises(UsageError, match="norm_product"):
        geolip.compare("nowhere.onnx", only=["k5"])


def test_a_name_given_twice_runs_once():
    result = compared(only=["norm_product", "norm_product"])
    assert [row.name for row in result.rows] == ["norm_product"]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_budget_must_be_positive(seconds):
    with pytest.raises(UsageError, match="time limit"):
        compared(time_limit=seconds)


def test_the_json_object(listing):
    listing(
        up=saying(lambda q: Answer(4.0, Label.CERTIFIED, "late"), title="Up"),
        low=saying(2.0, Label.LOWER),
        out=saying(0.0, refused="no", title="Out"),
    )
    content = json.loads(compared(seed=3).to_json())
    up = content["rows"][0]
    assert up.pop("seconds") >= 0
    assert up == {
        "name": "up",
        "title": "Up",
        "label": "certified",
        "value": 4.0,
        "ratio": 2.0,
        "note": "late",
    }
    (out,) = content["silent"]
    assert out.pop("seconds") >= 0
    assert out == {"name": "out", "title": "Out", "reason": "no"}
    assert content["schema"] == comparison.SCHEMA == "geolip.bounds/1"
    assert content["norm"] == {"input": "inf", "output": "inf"}
    assert content["model"]["neurons"] == 2
    assert (content["best_upper"], content["best_lower"]) == ("up", "low")
    assert content["contradiction"] is None
    assert content["interrupted"] is False
    assert (content["seed"], content["accuracy"]) == (3, 1e-4)
    assert content["time_limit"] == 30.0
    assert {"notes", "versions", "threads", "seconds"} < set(content)
