"""Writes docs/operators.md: what geolip does with every operator of ONNX.

python docs/operators.py
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

import onnx

from geolip.execution.rule import all_rules
from geolip.importer.catalogue import readers
from geolip.importer.refusals import can_fold, reason

PAGE = Path(__file__).with_suffix(".md")

_HEAD = """\
# Operators of ONNX

Written by `python docs/operators.py`, from the code, for the operators of opset
{opset} (onnx {version}); older versions of an operator are read too, from opset 7 on.

* *activations*: whether it may read what depends on the network's input, or why not.
* *constants*: whether it may read constants only; it is then computed when the model is
  read.
* *float32*: whether `--float-exec` bounds its rounding.

Places between entries, as in Resize, are computed in fractions from the numbers that
the model stores. Where a place is nearer to a jump than 2^-18, but not there, or where
runtimes are known to differ, the node is refused.

{supported} operators of {all} may read activations. Operators of other domains, and
operators that a model redefines as functions, are refused.

| operator | activations | constants | float32 |
|---|---|---|---|
"""


def page() -> str:
    """Return the page for the operators that are installed."""
    kinds = operators()
    head = _HEAD.format(
        opset=onnx.defs.onnx_opset_version(),
        version=onnx.__version__,
        supported=len(readers().keys() & set(kinds)),
        all=len(kinds),
    )
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows(kinds))


def operators() -> list[str]:
    """Return the operators of ONNX's default domain, also those of old opsets only."""
    schemas = onnx.defs.get_all_schemas_with_history()
    return sorted({schema.name for schema in schemas if not schema.domain})


def rows(kinds: list[str]) -> Iterator[list[str]]:
    """Yield the cells of the table."""
    for kind in kinds:
        constants = kind in readers() or can_fold(kind)
        yield [
            kind,
            activations(kind),
            "yes" if constants else "no",
            "yes" if kind in all_rules() else "",
        ]


def activations(kind: str) -> str:
    """Return whether an operator may read activations, and what it asks for.

    That is what its reader's docstring begins with.
    """
    if kind in readers():
        asked = (inspect.getdoc(readers()[kind]) or "").partition("Ask for ")[2]
        return (
            f"**yes**; asks for {asked.splitlines()[0].rstrip('.')}"
            if asked
            else "**yes**"
        )
    if all(schema.max_input == 0 for schema in versions(kind)) and can_fold(kind):
        return "reads nothing"
    return reason(kind)


def versions(kind: str) -> list[onnx.defs.OpSchema]:
    """Return all versions of an operator."""
    schemas = onnx.defs.get_all_schemas_with_history()
    return [s for s in schemas if s.name == kind and not s.domain]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
