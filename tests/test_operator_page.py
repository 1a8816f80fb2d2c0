"""The page that lists all operators says what the code does."""

import importlib.util
from pathlib import Path
from types import ModuleType

import onnx
import pytest

from geolip.importer.catalogue import readers

SCRIPT = Path(__file__).parents[1] / "docs" / "operators.py"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("operators", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_up_to_date(script: ModuleType) -> None:
    written = script.PAGE.read_text(encoding="utf-8")
    if f"(onnx {onnx.__version__})" not in written:
        pytest.skip(f"docs/operators.md is not about onnx {onnx.__version__}")
    assert written == script.page(), "run: python docs/operators.py"


def test_every_operator_is_listed_once(script: ModuleType) -> None:
    kinds = script.operators()
    assert set(readers()) <= set(kinds)
    listed = [row[0] for row in script.rows(kinds)]
    assert listed == kinds
    assert len(set(kinds)) == len(kinds) > 200
