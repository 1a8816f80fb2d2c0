"""Elementwise factors, which runtimes may fold into the weights of the sum before."""

from collections.abc import Mapping, Sequence

import numpy as np

from geolip.execution.arithmetic import ETA
from geolip.execution.combination import combined, largest_entry
from geolip.execution.rule import Result, Rule, function_of
from geolip.execution.tensor import Tensor
from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError


def _multiplied(
    operation: Operation, tensors: Mapping[int, Tensor]
) -> Sequence[Result]:
    return _scaled(operation, tensors, roundings=1)


def _divided(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    # The quotient, or the reciprocal and the product with it.
    result = _scaled(operation, tensors, roundings=2)
    if (np.abs(operation.real(1)) < ETA).any():
        raise RefusedError("divides by a subnormal number, which may count as zero")
    return result


def _scaled(
    operation: Operation, tensors: Mapping[int, Tensor], roundings: int
) -> Sequence[Result]:
    if len(tensors) > 1:
        raise RefusedError("how products of activations round in float32 is not known")
    reading = function_of(operation)
    depth = max(tensor.depth for tensor in tensors.values()) + roundings
    factor = largest_entry(reading)
    return [combined(operation, reading, tensors, depth, factor=factor)]


OPERATORS: dict[str, Rule] = {"Div": _divided, "Mul": _multiplied}
