"""Softmax and its logarithm as last operators.

With p = softmax(z) the Jacobians are ``diag(p) - p p'`` and ``I - 1 p'``. Rows of the
first have absolute sums ``2 p_i (1 - p_i)``, at most 1/2, and so has it, as a symmetric
matrix, norms of at most 1/2 in l_1, l_2 and l_inf. Rows of the second have sums of ``2
(1 - p_i)``, below 2, and columns of ``1 + (n - 2) p_j``, below n - 1 for n >= 2; it is
a projection along 1 with the norm ``sqrt(n) |p|_2``, at most sqrt(n).

Source: docs/theory.md section 2; Nair, arXiv 2510.23012, for the first.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import log_softmax, softmax

from geolip.arrays import Array
from geolip.importer.operation import Final, Operation, Reader
from geolip.network import Head

# Before it, all axes from the given one on were one.
_ONE_AXIS = 13


def _last(
    function: Callable[..., Array], constants: Callable[[int], Mapping[str, float]]
) -> Reader:
    def read(operation: Operation) -> Final:
        value, axis = operation.affine(0), operation.attributes["axis"]
        shape = value.shape
        if not -len(shape) <= axis < max(len(shape), 1):
            raise ValueError(f"axis {axis} does not exist in shape {shape}")
        axis %= max(len(shape), 1)
        end = axis + 1 if operation.opset >= _ONE_AXIS else len(shape)
        lengths = [math.prod(part) for part in (shape[:axis], shape[axis:end])]

        def apply(X: Array) -> Array:
            lanes = X.reshape(*lengths, -1, X.shape[1])
            return np.asarray(function(lanes, axis=1)).reshape(X.shape)

        kind = operation.node.op_type
        return Final(value, Head(kind, apply, constants(lengths[1]), shape))

    return read


def _of_softmax(count: int) -> Mapping[str, float]:
    constant = 0.5 if count > 1 else 0.0
    return {"1": constant, "2": constant, "inf": constant}


def _of_logarithm(count: int) -> Mapping[str, float]:
    if count < 2:
        return {"1": 0.0, "2": 0.0, "inf": 0.0}
    euclidean = math.nextafter(math.sqrt(count), math.inf)
    return {"1": count - 1.0, "2": euclidean, "inf": 2.0}


OPERATORS: dict[str, Reader] = {
    "LogSoftmax": _last(log_softmax, _of_logarithm),
    "Softmax": _last(softmax, _of_softmax),
}
