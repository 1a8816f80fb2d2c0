"""Sums of products with weights, and averages: they read stored tensors."""

from collections.abc import Mapping, Sequence

import numpy as np

from geolip.execution.combination import combined, largest_entry
from geolip.execution.rule import Result, Rule, function_of
from geolip.execution.tensor import Tensor
from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError
from geolip.network import Affine


def _summed(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    return _read(operation, tensors, after=0)


def _averaged(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    # The quotient, or the reciprocal and the product with it, before or after the sum.
    return _read(operation, tensors, after=2)


def _gemm(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
    alpha, beta = operation.attributes["alpha"], operation.attributes["beta"]
    if alpha != 1 or (operation.has(2) and beta != 1):
        raise RefusedError(f"alpha {alpha} and beta {beta}: only 1 is supported")
    if not tensors.keys() & {0, 1}:
        raise RefusedError("multiplies constants: export with constants folded")
    return _summed(operation, tensors)


def _read(
    operation: Operation, tensors: Mapping[int, Tensor], after: int
) -> Sequence[Result]:
    """Return sums whose terms pass ``after`` roundings more."""
    reading = function_of(operation)
    settled = {j: tensor.settled() for j, tensor in tensors.items()}
    # A term is a product, rounded once and in all sums with the others.
    depth = _products(reading) + bool(reading.bias.any()) + after
    factor = largest_entry(reading)
    return [combined(operation, reading, settled, depth, factor=factor)]


def _products(reading: Affine) -> int:
    """Return the largest number of products in a sum; zeros round nothing."""
    counts = np.zeros(reading.size)
    for operator in reading.terms.values():
        pattern = operator.entrywise(lambda numbers: (numbers != 0).astype(float))
        counts = counts + pattern.apply(np.ones((operator.shape[1], 1)))[:, 0]
    return int(counts.max(initial=0.0))


OPERATORS: dict[str, Rule] = {
    "AveragePool": _averaged,
    "Conv": _summed,
    "ConvTranspose": _summed,
    "CumSum": _summed,
    "Gemm": _gemm,
    "GlobalAveragePool": _averaged,
    "MatMul": _summed,
    "ReduceMean": _averaged,
    "ReduceSum": _summed,
}
