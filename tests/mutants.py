"""Run the soundness mutants of mutants.md: each must be caught by a test.

    python tests/mutants.py [--only NUMBER]

A mutant is one changed line in a copy of the checkout; it is caught if the tests named
at the top of mutants.md fail, of which those run first that speak of its module.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

_ROOT = Path(__file__).resolve().parents[1]
_LIST = Path(__file__).with_name("mutants.md")
_ROW = re.compile(r"\| (\d+) \| `([^`]+)` \| `([^`]+)` \| `([^`]*)` \| (.+) \|")
_TESTS = re.compile(r"^    pytest (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One changed line.

    Parameters
    ----------
    number : int
        In the list.
    file, old, new : str
        The file, what stands there once, and what takes its place.
    why : str
        What would go wrong.
    """

    number: int
    file: str
    old: str
    new: str
    why: str


def mutants() -> Iterator[Mutant]:
    """Yield the list's mutants."""
    for number, *rest in _ROW.findall(_LIST.read_text()):
        file, old, new, why = (cell.replace("&#124;", "|") for cell in rest)
        yield Mutant(int(number), file, old, new, why)


def tests_about(file: str) -> list[str]:
    """Return all test files, those that speak most of a module first."""
    tests = _TESTS.findall(_LIST.read_text())[0].split()
    name = Path(file).stem
    module = file.removesuffix(".py").replace("/", ".")

    def naming(test: str) -> tuple[bool, int]:
        text = (_ROOT / test).read_text()
        return module in text, text.count(name)

    return sorted(tests, key=naming, reverse=True)


def passes(folder: Path, tests: list[str]) -> bool:
    """Return whether tests pass in a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *tests], cwd=folder, env=environment, capture_output=True
    )
    return done.returncode == 0


def survives(mutant: Mutant, folder: Path) -> bool:
    """Return whether all tests pass with the line changed."""
    path = folder / mutant.file
    original = path.read_text()
    if original.count(mutant.old) != 1:
        raise click.ClickException(
            f"mutant {mutant.number}: {mutant.old!r} is not there"
        )
    path.write_text(original.replace(mutant.old, mutant.new))
    try:
        return passes(folder, tests_about(mutant.file))
    finally:
        path.write_text(original)


@click.command()
@click.option("--only", type=int, multiple=True, help="Numbers of mutants to run.")
def main(only: tuple[int, ...]) -> None:
    """Run all mutants; exit 1 if one survives."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "checkout"
        ignored = shutil.ignore_patterns(".git", ".venv", "build", "out", "*.egg-info")
        shutil.copytree(_ROOT, folder, ignore=ignored)
        # Where an installed package would have its solvers.
        shutil.copytree(folder / "solvers", folder / "geolip" / "solvers")
        if not passes(folder, tests_about("")):
            raise click.ClickException("the tests fail without any mutant")
        chosen = [m for m in mutants() if not only or m.number in only]
        left = []
        for mutant in chosen:
            lives = survives(mutant, folder)
            left += [mutant] if lives else []
            word = "SURVIVED" if lives else "caught"
            click.echo(f"{mutant.number:3d} {word}: {mutant.file}: {mutant.why}")
    click.echo(f"{len(chosen) - len(left)} of {len(chosen)} caught")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
