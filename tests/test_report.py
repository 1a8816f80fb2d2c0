"""Reports: printed decimals on the right side, JSON that survives, readable text."""

import json
import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geolip.decimals import round_down, round_up
from geolip.report import ModelSummary, OutputReport, Report

anything = settings(deadline=None, max_examples=300)
finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=1e-100, max_value=1e100)

SUMMARY = ModelSummary("some/model.onnx", "0" * 64, 4, 2, 12, 3)
FIRST = OutputReport("0", 0, 2.0, "geolip", 1.25, 1.5, 1.75, "solved", 10)
SECOND = OutputReport("1", 1, 8.00000001, "norm product", 0.5, 7.0, None, "failed", 5)


def report(*outputs: OutputReport, **changes: Any) -> Report:
    whole = Report(
        model=SUMMARY,
        input_norm="inf",
        output_norm="inf",
        method="geolip",
        solver="lifted",
        trust="rigorous-float",
        outputs=outputs or (FIRST, SECOND),
        seconds={"read": 0.25, "solve": 1.5, "total": 1.75},
        notes=("the first note", "another"),
        versions={"geolip": "0.0", "numpy": "2.0"},
        threads=2,
    )
    return replace(whole, **changes)


# Printed decimals -------------------------------------------------------------------


def unit_of_last_digit(value: float, digits: int) -> Decimal:
    """Return one unit of the last significant digit of ``value``."""
    return Decimal(1).scaleb(Decimal(value).adjusted() - digits + 1)


@anything
@given(finite, st.integers(1, 17))
@example(5e-324, 7)
@example(-5e-324, 7)
@example(2.2250738585072011e-308, 7)
@example(1.7976931348623157e308, 7)
@example(9999999.9, 7)
@example(0.99999999999, 7)
@example(9.9999999e-5, 7)
@example(1e7, 7)
@example(1.0, 7)
def test_rounding(value: float, digits: int) -> None:
    above, below = Decimal(round_up(value, digits)), Decimal(round_down(value, digits))
    assert below <= Decimal(value) <= above
    if value == 0:
        assert above == below == 0
    else:
        unit = unit_of_last_digit(value, digits)
        assert above - Decimal(value) < unit
        assert Decimal(value) - below < unit
    for decimal in (above, below):
        assert len(decimal.normalize().as_tuple().digits) <= digits


@anything
@given(finite)
def test_rounding_up_is_rounding_down_of_the_negative(value: float) -> None:
    assert Decimal(round_up(value)) == -Decimal(round_down(-value))


@anything
@given(finite)
def test_seven_digits_unless_told(value: float) -> None:
    assert round_up(value) == round_up(value, 7)
    assert round_down(value) == round_down(value, 7)


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [
        (0.0, "0", "0"),
        (2.0, "2", "2"),
        (0.1, "0.1000001", "0.1000000"),
        (240664.12, "240664.2", "240664.1"),
        (1 / 3, "0.3333334", "0.3333333"),
        (-1 / 3, "-0.3333333", "-0.3333334"),
        (9999999.5, "10000000", "9999999"),
        (123456789.0, "1.234568e+8", "1.234567e+8"),
        (1e-5, "1.000001e-5", "1.000000e-5"),
        (math.inf, "inf", "inf"),
    ],
)
def test_decimals_for_people(value: float, up: str, down: str) -> None:
    assert round_up(value) == up
    assert round_down(value) == down


# The whole from its outputs ---------------------------------------------------------


def test_summary_of_the_outputs() -> None:
    whole = report()
    assert whole.worst is whole.outputs[1]
    assert whole.bound == 8.00000001
    assert whole.lower_bound == 1.25
    assert whole.fgl_lower_bound == 7.0
    assert whole.iterations == 15
    # One part is not known, so the whole is not.
    assert whole.relaxation_value is None
    assert report(FIRST, replace(SECOND, relaxation_value=7.5)).relaxation_value == 7.5


@pytest.mark.parametrize(
    ("bound", "value", "gap"),
    [
        (2.0, 1.0, 1.0),
        (1.5, 1.5, 0.0),
        (1.5, 2.0, -0.25),
        (1.5, None, None),
        (0.0, 0.0, 0.0),
        (1.5, 0.0, None),
        (1.5, -1.0, None),
    ],
)
def test_gap(bound: float, value: float | None, gap: float | None) -> None:
    assert replace(FIRST, bound=bound, relaxation_value=value).gap == gap


# JSON -------------------------------------------------------------------------------

KEYS = {
    "schema",
    "model",
    "norm",
    "method",
    "solver",
    "trust",
    "bound",
    "lower_bound",
    "relaxation_value",
    "outputs",
    "seconds",
    "iterations",
    "versions",
    "threads",
}
MODEL_KEYS = {"path", "sha256", "inputs", "outputs", "neurons", "layers"}
OUTPUT_KEYS = {"name", "index", "bound", "lower_bound", "relaxation_value", "gap"}


def strict(text: str) -> Any:
    """Return the content of JSON text, in which NaN and Infinity do not exist."""

    def unknown(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=unknown)


def test_json_has_the_schema_that_is_promised() -> None:
    content = strict(report().to_json())
    assert content["schema"] == "geolip.report/1"
    assert content.keys() >= KEYS
    assert content["model"].keys() == MODEL_KEYS
    assert content["norm"] == {"input": "inf", "output": "inf"}
    for output in content["outputs"]:
        assert output.keys() >= OUTPUT_KEYS
    assert content["seconds"]["total"] == 1.75
    assert content["model"]["path"] == "some/model.onnx"
    assert content["outputs"][1]["relaxation_value"] is None
    assert content["outputs"][1]["gap"] is None
    assert content["versions"] == {"geolip": "0.0", "numpy": "2.0"}


def test_json_of_a_model_that_was_no_file() -> None:
    summary = replace(SUMMARY, path=None)
    assert strict(report(model=summary).to_json())["model"]["path"] is None


@anything
@given(positive, positive, positive, st.none() | positive)
def test_floats_survive_json(
    bound: float, lower: float, formal: float, value: float | None
) -> None:
    output = OutputReport("7", 7, bound, "geolip", lower, formal, value, "solved", 1)
    whole = report(output)
    content = strict(whole.to_json())
    assert content == whole.as_dict()
    assert content["bound"] == content["outputs"][0]["bound"] == bound
    assert content["lower_bound"] == lower
    assert content["outputs"][0]["fgl_lower_bound"] == formal
    assert content["relaxation_value"] == value


def test_json_whatever_value_a_solver_claims() -> None:
    # The gap of a bound of one to the least positive number is not finite.
    output = replace(FIRST, bound=1.0, relaxation_value=5e-324)
    assert strict(report(output).to_json())["bound"] == 1.0


# Text -------------------------------------------------------------------------------


def test_text() -> None:
    text = str(report())
    assert "at most   8.000001 " in text
    assert "at least  1.25" in text
    assert "l_inf -> l_inf" in text
    assert "rigorous-float" in text
    assert "some/model.onnx: 4 inputs, 2 outputs, 12 neurons in 3 layers" in text
    assert "method geolip, solver lifted, 15 iterations" in text
    assert "total 1.75" in text
    assert text.endswith("note: the first note\nnote: another")


def test_text_says_what_the_bound_rests_on() -> None:
    # The largest bound is the one of the headline.
    assert "(rigorous-float, norm product)" in str(report())
    assert "(rigorous-float, geolip)" in str(report(FIRST))


@anything
@given(positive, positive)
def test_text_is_never_below_the_bound(bound: float, lower: float) -> None:
    output = replace(FIRST, bound=bound, lower_bound=lower, relaxation_value=None)
    lines = str(report(output)).splitlines()
    (above,) = [line.split()[2] for line in lines if line.startswith("  at most")]
    (below,) = [line.split()[2] for line in lines if line.startswith("  at least")]
    assert Decimal(above) >= Decimal(bound)
    assert Decimal(below) <= Decimal(lower)
    table = lines[lines.index("") + 2].split()
    assert Decimal(table[1]) >= Decimal(bound)
    assert Decimal(table[-1]) <= Decimal(lower)


def test_text_of_a_constant_network() -> None:
    constant = OutputReport("0", 0, 0.0, "constant", 0.0, 0.0, 0.0, "solved", 0)
    text = str(report(constant, notes=()))
    assert "at most   0 " in text
    assert "nan" not in text
    assert "note" not in text


def test_columns_of_the_text_are_aligned() -> None:
    table = str(report()).split("\n\n")[1].splitlines()
    assert len(table) == 3
    assert len({len(line) for line in table}) == 1


def test_long_tables_show_the_largest_bounds() -> None:
    outputs = [replace(FIRST, name=f"n{i}", index=i, bound=1.0 + i) for i in range(50)]
    table = str(report(*outputs, input_norm="1")).split("\n\n")[1].splitlines()
    assert table[0].split()[0] == "input"
    assert [line.split()[0] for line in table[1:-1]] == [f"n{i}" for i in range(30, 50)]
    assert table[-1] == "and 30 with smaller bounds"
    assert len(str(report(*outputs[:40])).split("\n\n")[1].splitlines()) == 41
