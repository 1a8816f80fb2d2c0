"""Scalar activations, each of which makes a block."""

from collections.abc import Callable

import numpy as np

from geolip.activations import Activation, leaky_relu, relu, sigmoid, tanh
from geolip.importer.operation import Operation, Reader, Value
from geolip.network import Block


def _scalar(activation: Callable[[], Activation]) -> Reader:
    def read(operation: Operation) -> Block:
        return Block(operation.name, operation.affine(0), activation())

    return read


def _leaky_relu(operation: Operation) -> Value | Block:
    alpha = operation.attributes["alpha"]
    if not np.isfinite(alpha):
        raise ValueError(f"its alpha is {alpha}")
    if alpha == 1.0:
        return operation.affine(0)
    return Block(operation.name, operation.affine(0), leaky_relu(alpha))


OPERATORS: dict[str, Reader] = {
    "LeakyRelu": _leaky_relu,
    "Relu": _scalar(relu),
    "Sigmoid": _scalar(sigmoid),
    "Tanh": _scalar(tanh),
}
