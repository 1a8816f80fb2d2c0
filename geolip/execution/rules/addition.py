"""Elementwise sums, which runtimes merge with the sums that they add up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from geolip.execution.combination import combined
from geolip.execution.rule import Result, Rule, function_of
from geolip.execution.tensor import Tensor
from geolip.importer.operation import Operation


def _added(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    depths = [tensor.depth for tensor in tensors.values()]
    depth = sum(depths) + len(operation.inputs) - 1
    # Constants may cancel in the function's bias, not in what is computed.
    sizes = [np.abs(v) if isinstance(v, np.ndarray) else v for v in operation.inputs]
    constants = np.abs(function_of(replace(operation, inputs=sizes)).bias)
    reading = function_of(operation)
    return [combined(operation, reading, tensors, depth, constants=constants)]


OPERATORS: dict[str, Rule] = {"Add": _added, "Sub": _added, "Sum": _added}
