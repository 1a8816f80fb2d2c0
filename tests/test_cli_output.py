"""`--output`: a file is written whole or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_runs import QUICK, one_line, run, succeeded


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
    ("owner", "function"), [(Path, "write_bytes"), (Path, "replace")]
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
