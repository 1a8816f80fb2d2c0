"""The rules by which nodes round: their type, and the table of all of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from numpy.typing import NDArray

from geolip.execution import rules
from geolip.execution.tensor import Tensor
from geolip.importer.catalogue import collected, readers
from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError
from geolip.network import Affine

Result: TypeAlias = Tensor | NDArray[Any]

Rule: TypeAlias = Callable[[Operation, Mapping[int, Tensor]], Sequence[Result]]
"""Returns all outputs of a node.

The operation's inputs that depend on the network's input are blocks of their own, input
j block j, so that its reader returns this very node's function of them; the tensors
that they stand for come beside it. Raises what readers raise.
"""


def function_of(operation: Operation) -> Affine:
    """Return the node's only output as a function of its own inputs."""
    result = readers()[operation.node.op_type](operation)
    if not isinstance(result, Affine):
        raise RefusedError("is read as something else than an affine function")
    return result


@cache
def all_rules() -> Mapping[str, Rule]:
    """Return the rule of every operator whose rounding is known.

    Raises
    ------
    RuntimeError
        If two files of the folder claim the same operator.
    """
    return collected(rules)
