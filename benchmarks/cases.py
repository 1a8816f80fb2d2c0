"""Running cases in processes of their own, and measuring the machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from table import cell

from geolip import backend
from geolip.decimals import round_up

_HERE = Path(__file__).parent


def usable() -> list[str]:
    """Return the names of the solvers that can run here; say which cannot."""
    names = []
    for name in backend.names():
        reason = backend.get(name).usable()
        if reason is None:
            names.append(name)
        else:
            show(f"left out: {name}, {reason}")
    return names


def memory_bytes(gigabytes: float | None) -> int:
    """Return the limit on a case's memory."""
    if gigabytes is not None:
        return int(gigabytes * 1e9)
    return int(0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def header(**settings: Any) -> dict[str, Any]:
    """Return what the machine is and how fast, and the settings."""
    show("measuring the machine ... ", nl=False)
    command = [sys.executable, str(_HERE / "machine.py")]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    machine: dict[str, Any] = json.loads(answer.stdout)
    show(f"one unit is {machine['unit_seconds']:.3f} s")
    return {**machine, **settings}


def run(
    task: Mapping[str, Any],
    limit: float,
    module: str = "case",
    python: str = sys.executable,
) -> dict[str, Any]:
    """Return what a process of its own answers; whatever happens to it, return.

    Parameters
    ----------
    task : mapping
        What the module is asked.
    limit : float
        Seconds after which it is ended.
    module : str
        The module of this folder that answers, see `alone`.
    python : str
        The interpreter that runs it.
    """
    command = [python, str(_HERE / "alone.py"), module, json.dumps(task)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failed": f"ended after {limit:g} s without an answer"}
    try:
        outcome: dict[str, Any] = json.loads(answer.stdout)
    except json.JSONDecodeError:
        return {"failed": _reason(answer)}
    return outcome


def _reason(answer: "subprocess.CompletedProcess[str]") -> str:
    said = answer.stderr.strip().splitlines()
    last = said[-1] if said else "it said nothing"
    if answer.returncode < 0:
        return f"killed by {signal.Signals(-answer.returncode).name}: {last}"
    return f"exit code {answer.returncode}: {last}"


def sentence(outcome: Mapping[str, Any]) -> str:
    """Return an outcome in a few words."""
    if "failed" in outcome:
        return cell(f"failed: {outcome['failed']}")
    report = outcome["report"]
    return f"{round_up(report['bound'])} in {report['seconds']['total']:.2f} s"


def show(text: str, *, nl: bool = True) -> None:
    """Show progress."""
    click.echo(text, err=True, nl=nl)
