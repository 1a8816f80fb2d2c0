"""Norms along axes, and the logarithm of sums of exponentials.

The sum of absolute values is a block and a sum. The others are read as last operators.
The gradient of a Euclidean norm has length 1, which l_inf sees as the square root of
the number n of entries at the most; the gradient of log-sum-exp is a softmax, of
positive entries that sum to 1. Groups of entries are disjoint, so that in l_1, l_2 and
l_inf all of them together move by no more than the largest constant of one.

Source: docs/theory.md section 2.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import logsumexp

from geolip.activations import absolute
from geolip.arrays import Array
from geolip.importer.axes import keeps_axes, reduced_axes
from geolip.importer.operation import Final, Layers, Operation, Reader
from geolip.importer.ops.reduction import reduced, reduced_shape
from geolip.network import Block, Head


def _absolute_sum(operation: Operation) -> Layers:
    value = operation.affine(0)
    axes = reduced_axes(operation, value.shape)
    sizes = yield Block(operation.name, value, absolute())
    return reduced(sizes, axes, keeps_axes(operation), mean=False)


def _last(
    function: Callable[..., Array], constants: Callable[[int], Mapping[str, float]]
) -> Reader:
    def read(operation: Operation) -> Final:
        """Ask for nothing behind it."""
        value = operation.affine(0)
        shape, axes = value.shape, tuple(reduced_axes(operation, value.shape))
        count = math.prod(shape[axis] for axis in axes)
        if not count:
            raise ValueError("it reduces an axis without entries")

        def apply(X: Array) -> Array:
            columns = X.shape[1]
            found = function(X.reshape(*shape, columns), axis=axes)
            return np.asarray(found).reshape(-1, columns)

        rest = reduced_shape(shape, axes, keeps_axes(operation))
        head = Head(operation.node.op_type, apply, constants(count), rest)
        return Final(value, head)

    return read


def _length(entries: Array, axis: tuple[int, ...]) -> Array:
    return np.asarray(np.sqrt(np.square(entries).sum(axis=axis)))


def _of_length(count: int) -> Mapping[str, float]:
    root = math.nextafter(math.sqrt(count), math.inf) if count > 1 else 1.0
    return {"1": 1.0, "2": 1.0, "inf": root}


def _of_logarithm(_: int) -> Mapping[str, float]:
    return {"1": 1.0, "2": 1.0, "inf": 1.0}


OPERATORS: dict[str, Reader] = {
    "ReduceL1": _absolute_sum,
    "ReduceL2": _last(_length, _of_length),
    "ReduceLogSumExp": _last(logsumexp, _of_logarithm),
}
