"""What `geolip certify --float-exec` prints."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from geolip.cli import main
from geolip.execution import FloatExecution, forward_error

MODELS = Path(__file__).parents[1] / "models"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["certify", *arguments])


QUICK = (str(MODELS / "digits_fc.onnx"), "--rows", "0")


def test_text() -> None:
    result = run(*QUICK, "--float-exec", "-0.5,1")
    assert result.exit_code == 0, result.output
    bound = forward_error(QUICK[0], (-0.5, 1)).error
    lines = result.stdout.splitlines()
    start = lines.index("Execution in float32, every input coordinate in [-0.5, 1.0]:")
    assert start > lines.index(next(line for line in lines if "at least" in line))
    *words, printed = lines[start + 1].split()
    assert words[-2:] == ["at", "most"]
    assert bound <= Decimal(printed) <= Decimal(bound) * Decimal("1.000001")
    assert sum("assumed" in line for line in lines) == 3
    assert "float32" not in run(*QUICK).stdout


def test_json() -> None:
    result = run(*QUICK, "--float-exec", "0,1", "--json")
    found = json.loads(result.stdout)["float_execution"]
    expected = forward_error(QUICK[0], (0, 1))
    assert found["format"] == "IEEE-754 binary32"
    assert found["region"] == [0, 1]
    assert found["errors"] == list(expected.errors)
    assert len(found["errors"]) == 10
    assert found["error"] == max(expected.errors)
    assert found["assumptions"] == list(expected.assumptions)
    assert "binary32" in found["claim"]
    assert expected.sha256 in found["claim"]
    assert json.loads(run(*QUICK, "--json").stdout)["float_execution"] is None


def test_functions_of_a_library_are_an_assumption() -> None:
    def assumes(name: str) -> bool:
        found: FloatExecution = forward_error(MODELS / f"{name}.onnx", (0, 1))
        return any("2^-20" in assumption for assumption in found.assumptions)

    assert assumes("digits_sigmoid")
    assert not assumes("digits_fc")


@pytest.mark.parametrize("text", ["1,0", "nan,1", "0,inf", "0", "0,1,2", "a,b", ""])
def test_wrong_usage(text: str) -> None:
    result = run(*QUICK, "--float-exec", text)
    assert result.exit_code == 2
    assert "--float-exec" in result.stderr
