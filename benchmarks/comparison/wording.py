"""How numbers and names are written in the report."""

from collections.abc import Sequence

import families
from table import markdown

NOTHING = "-"
# What is below a lower bound by less than this may be called an inaccuracy.
CLEAR = 1e-4


def table(columns: list[str], rows: list[list[str]], texts: Sequence[int]) -> str:
    """Return a table; ``texts`` are the places of columns that are not numbers."""
    return "\n".join(markdown(columns, rows, [columns[i] for i in texts]))


def ratio(value: float | None) -> str:
    """Return a quotient, finely where it is near one."""
    if value is None:
        return NOTHING
    return f"{value:.4f}" if 0.9 < value < 1.1 else f"{value:.3g}"


def seconds(value: float | None) -> str:
    """Return a time."""
    return NOTHING if value is None else f"{value:.2g}"


def described(name: str) -> tuple[str, str]:
    """Return a family's title and what it is about."""
    if name not in families.names():
        return name, f"The ONNX files of {name}/."
    family = families.get(name)
    return family.TITLE, family.ABOUT
