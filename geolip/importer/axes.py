"""The axes that a reduction works along."""

from collections.abc import Sequence

from geolip.importer.operation import Operation


def keeps_axes(operation: Operation) -> bool:
    """Return whether reduced axes stay, with length one."""
    return bool(operation.attributes["keepdims"])


def reduced_axes(operation: Operation, shape: tuple[int, ...]) -> Sequence[int]:
    """Return the axes to reduce: an attribute in old versions, an input in new ones.

    Raises
    ------
    ValueError
        If one does not exist, or is given twice.
    """
    given = operation.attributes.get("axes", [])
    if operation.has(1):
        given = operation.integers(1)
    rank = len(shape)
    if any(not -rank <= axis < rank for axis in given):
        raise ValueError(f"axes {list(given)} do not exist in shape {shape}")
    if len({axis % rank for axis in given}) < len(given):
        raise ValueError(f"axes {list(given)} name one axis twice")
    if not given and operation.attributes.get("noop_with_empty_axes", 0):
        return []
    return [axis % rank for axis in given] or range(rank)
