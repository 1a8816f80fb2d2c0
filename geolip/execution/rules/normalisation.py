"""Batch normalisation, whose constants runtimes combine in several ways.

``(x - mean) inv scale + bias`` in any order of products, ``x a + b`` with a and b
computed before, or a and b folded into the layer before: with ``a = scale inv`` in real
numbers there are three terms, ``a x``, ``a mean`` and ``bias``, and no term passes more
than 4 roundings in a (a sum, a root, a quotient, a product), one product and two sums.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from geolip.execution.combination import combined
from geolip.execution.rule import Result, Rule, function_of
from geolip.execution.tensor import Tensor
from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError

# The other five are for roots and quotients that are not correctly rounded.
_ROUNDINGS = 12
# So that no root or reciprocal comes near the ends of float32's range.
_RANGE = 2.0**100


def _normalised(
    operation: Operation, tensors: Mapping[int, Tensor]
) -> Sequence[Result]:
    if tensors.keys() != {0}:
        raise RefusedError("has parameters that depend on the network's input")
    reading = function_of(operation)
    scale, bias, mean, variance = (operation.real(j) for j in range(1, 5))
    variance = variance + operation.attributes["epsilon"]
    if not (variance > 1 / _RANGE).all() or not (variance < _RANGE).all():
        raise RefusedError("a variance plus epsilon is outside 1e-30 .. 1e30")
    # With these parameters nothing cancels in the bias.
    sizes = [np.abs(scale), np.abs(bias), -np.abs(mean)]
    apart = replace(
        operation, inputs=[operation.inputs[0], *sizes, operation.inputs[4]]
    )
    inverse = 1 / np.sqrt(variance)
    factors = (1 + _largest(inverse)) * (1 + _largest(scale))
    products = np.maximum(1, inverse) * np.maximum(1, np.abs(scale))
    depth = tensors[0].depth + _ROUNDINGS
    return [
        combined(
            operation,
            reading,
            tensors,
            depth,
            constants=function_of(apart).bias,
            gain=factors * (1 + _largest(mean)),
            factor=_largest(products),
        )
    ]


def _largest(numbers: np.ndarray) -> float:
    return float(np.abs(numbers).max(initial=0.0))


OPERATORS: dict[str, Rule] = {"BatchNormalization": _normalised}
