"""Sums of products over repeated indices, after Einstein, with constant factors."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from geolip.importer.algebra import numbered, product, rearranged
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.ops.reduction import reduced
from geolip.importer.refusals import PRODUCT, RefusedError
from geolip.network import Affine


@dataclass(frozen=True)
class _Term:
    """A tensor with a name for each axis, no name twice.

    ``rounded`` tells how many roundings it carries, if it is constant.
    """

    value: Affine
    names: tuple[str, ...]
    rounded: int = 0

    def ordered(self, names: Sequence[str]) -> Affine:
        """Return the tensor with its axes in another order."""
        order = [self.names.index(name) for name in names]
        numbers = numbered([self.value])[0].transpose(order)
        return rearranged([self.value], numbers)

    def summed(self, kept: Collection[str]) -> "_Term":
        """Return the sum over all axes but some."""
        axes = [k for k, name in enumerate(self.names) if name not in kept]
        if not axes:
            return self
        names = tuple(name for name in self.names if name in kept)
        return _Term(reduced(self.value, axes, keeps=False, mean=False), names)


def _einsum(operation: Operation) -> Value:
    """Ask for constants in all operands but one."""
    operands = operation.affines()
    if sum(bool(operand.terms) for operand in operands) > 1:
        raise RefusedError(PRODUCT)
    names, result = _names(operation.attributes["equation"], operands)
    sizes = _sizes(operands, names)
    pairs = enumerate(zip(operands, names, strict=True))
    terms = [
        replace(_diagonal(operand, axes, sizes), rounded=operation.rounded(position))
        for position, (operand, axes) in pairs
    ]
    terms.sort(key=lambda term: not term.value.terms)
    whole, *constants = terms
    while constants:
        factor = constants.pop(0)
        later = {name for term in constants for name in term.names}
        whole = _multiplied(whole, factor, later | set(result))
    return whole.summed(result).ordered(result)


def _names(
    equation: str, operands: Sequence[Affine]
) -> tuple[list[list[str]], list[str]]:
    """Return the names of the operands' axes and of the result's."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(operands):
        raise ValueError(f"its equation {equation!r} is not of {len(operands)} inputs")
    ranks = [len(operand.shape) for operand in operands]
    hidden = [
        rank - len(part.replace("...", ""))
        for part, rank in zip(parts, ranks, strict=True)
    ]
    names = [_expanded(part, n) for part, n in zip(parts, hidden, strict=True)]
    if any(len(axes) != rank for axes, rank in zip(names, ranks, strict=True)):
        raise ValueError(f"its equation {equation!r} does not fit ranks {ranks}")
    if not arrow:
        counts = Counter(name for part in parts for name in part.replace(".", ""))
        once = sorted(name for name, count in counts.items() if count == 1)
        right = "".join(("..." * ("..." in left), *once))
    result = _expanded(right, max(hidden))
    known = {name for axes in names for name in axes}
    if len(set(result)) < len(result) or not known.issuperset(result):
        raise ValueError(f"its equation {equation!r} has an impossible result")
    return names, result


def _expanded(part: str, hidden: int) -> list[str]:
    """Return the names in a part of an equation, its dots replaced by names."""
    before, dots, after = part.partition("...")
    # Counted from the last, where tensors of several ranks are aligned.
    inside = [f".{k}" for k in reversed(range(hidden))] if dots else []
    return [*before, *inside, *after]


def _sizes(
    operands: Sequence[Affine], names: Sequence[Sequence[str]]
) -> Mapping[str, int]:
    """Return the length of every axis."""
    sizes: dict[str, int] = {}
    for operand, axes in zip(operands, names, strict=True):
        for n, name in zip(operand.shape, axes, strict=True):
            if 1 != sizes.get(name, 1) != n != 1:
                raise ValueError(f"axis {name!r} has lengths {sizes[name]} and {n}")
            sizes[name] = n if n != 1 else sizes.get(name, 1)
    return sizes


def _diagonal(value: Affine, names: Sequence[str], sizes: Mapping[str, int]) -> _Term:
    """Return the tensor with each name once, repeated axes only where they are equal.

    An axis of length 1 that is longer elsewhere is left out: it is repeated there.
    """
    numbers = numbered([value])[0]
    full = [k for k, name in enumerate(names) if value.shape[k] == sizes[name]]
    places = {name: k for k, name in enumerate(dict.fromkeys(names))}
    used = list(dict.fromkeys(names[k] for k in full))
    short = tuple(k for k in range(len(names)) if k not in full)
    moved = np.einsum(
        numbers.squeeze(short),
        [places[names[k]] for k in full],
        [places[name] for name in used],
    )
    return _Term(rearranged([value], moved), tuple(used))


def _multiplied(left: _Term, right: _Term, kept: Collection[str]) -> _Term:
    """Return the product, summed over shared axes that nothing later reads.

    What only the constant on the right has stays: a sum of its numbers would round.
    """
    left = left.summed({*kept, *right.names})
    shared = [name for name in left.names if name in right.names]
    alike = [name for name in shared if name in kept]
    inner = [name for name in shared if name not in kept]
    rows = [name for name in left.names if name not in shared]
    columns = [name for name in right.names if name not in shared]
    result = product(
        _grouped(left, alike, rows, inner),
        _grouped(right, alike, inner, columns),
        right.rounded,
    )
    lengths = dict(zip(right.names, right.value.shape, strict=True))
    lengths |= dict(zip(left.names, left.value.shape, strict=True))
    names = (*alike, *rows, *columns)
    return _Term(replace(result, shape=tuple(lengths[n] for n in names)), names)


def _grouped(term: _Term, *groups: Sequence[str]) -> Affine:
    """Return the tensor with one axis for each group of its axes."""
    lengths = dict(zip(term.names, term.value.shape, strict=True))
    shape = tuple(prod(lengths[name] for name in group) for group in groups)
    names = [name for group in groups for name in group]
    return replace(term.ordered(names), shape=shape)


OPERATORS: dict[str, Reader] = {"Einsum": _einsum}
