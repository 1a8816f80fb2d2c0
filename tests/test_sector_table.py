"""The table of sectors in docs/theory.md says what the importer does."""

import re
from pathlib import Path

import numpy as np
import pytest
from importer_models import build, node

from geolip.importer import load
from geolip.importer.ops.activation import OPERATORS

TEXT = (Path(__file__).parent.parent / "docs" / "theory.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.*?) \| (.*?) \| .* \|$", TEXT.split("## 3")[0], re.M)[1:]
ATTRIBUTES = {
    "Gelu(tanh)": {"approximate": "tanh"},
    "Shrink(bias = lambd)": {"bias": 0.5},
    "ThresholdedRelu(0)": {"alpha": 0.0},
}
NUMBERS = [
    (name, float(low), float(high))
    for names, sector in ROWS
    for low, high in re.findall(r"^\[([-.\d]+), ([-.\d]+)\]$", sector)
    for name in names.split(", ")
]


def test_every_operator_has_a_row():
    named = {name for names, _ in ROWS for name in re.findall(r"\b[A-Z]\w*", names)}
    assert named == {*OPERATORS}


@pytest.mark.parametrize(("name", "low", "high"), NUMBERS)
def test_numbers_are_those_of_the_code(name, low, high):
    kind, attributes = name.split("(")[0], ATTRIBUTES.get(name, {})
    inputs = ["x", "zero"] if kind == "Clip" else ["x"]
    operator = node(kind, inputs, ["y"], **attributes)
    (block,) = load(build([operator], [1, 1], {"zero": np.float32(0)}, opset=24)).blocks
    (lower,), (upper,) = block.activation.sector(1)
    assert (lower, upper) == (low, high)
