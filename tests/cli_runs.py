"""Runs of the command line, and what every one of them must print where."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from geolip.cli import main

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
