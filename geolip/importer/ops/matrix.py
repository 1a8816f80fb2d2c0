"""Matrix products with one constant operand."""

import numpy as np

from geolip.importer.algebra import (
    broadcast,
    numbered,
    product,
    rearranged,
    scaled,
    total,
)
from geolip.importer.operation import Operation, Reader, Value
from geolip.network import Affine


def _matmul(operation: Operation) -> Value:
    """Ask for a constant factor."""
    return product(operation.affine(0), operation.affine(1), _rounded(operation))


def _gemm(operation: Operation) -> Value:
    """Ask for a constant A or B."""
    attributes = operation.attributes
    left, right = (
        _transposed(operation.affine(position), attributes[attribute])
        for position, attribute in enumerate(("transA", "transB"))
    )
    # The factors stay apart from the matrices, whose entries are the stored ones.
    result = scaled(
        product(left, right, _rounded(operation)), np.array(attributes["alpha"])
    )
    if not operation.has(2):
        return result
    addend = scaled(operation.affine(2), np.array(attributes["beta"]))
    return total([result, broadcast(addend, result.shape)])


def _rounded(operation: Operation) -> int:
    return max(operation.rounded(0), operation.rounded(1))


def _transposed(value: Affine, transposes: int) -> Affine:
    if len(value.shape) != 2:
        raise ValueError(f"an operand has shape {value.shape}: expected a matrix")
    return rearranged([value], numbered([value])[0].T) if transposes else value


OPERATORS: dict[str, Reader] = {"Gemm": _gemm, "MatMul": _matmul}
