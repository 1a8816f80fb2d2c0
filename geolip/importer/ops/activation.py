"""Scalar activations, each of which makes a block unless it is affine."""

from collections.abc import Callable

import numpy as np

from geolip import activations
from geolip.activations import Activation
from geolip.importer.algebra import constant, scaled
from geolip.importer.magnitude import checked
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError
from geolip.network import Block


def _scalar(activation: Callable[..., Activation], *parameters: str) -> Reader:
    """Return the reader of a function of an operator's attributes, in this order."""

    def read(operation: Operation) -> Block:
        numbers = [_attribute(operation, name) for name in parameters]
        return Block(operation.name, operation.affine(0), activation(*numbers))

    return read


def _attribute(operation: Operation, name: str) -> float:
    number = float(operation.attributes[name])
    if not np.isfinite(number):
        raise ValueError(f"its {name} is {number}")
    return number


def _celu(operation: Operation) -> Block:
    """Ask for a positive alpha."""
    alpha = _attribute(operation, "alpha")
    if alpha <= 0:
        raise RefusedError(f"its alpha is {alpha}: expected a positive number")
    return Block(operation.name, operation.affine(0), activations.celu(alpha))


def _clip(operation: Operation) -> Value | Block:
    """Ask for constant limits."""
    value = operation.affine(0)
    low, high = (
        _limit(operation, 1, "min", -np.inf),
        _limit(operation, 2, "max", np.inf),
    )
    if low >= high:  # ONNX takes max then
        return constant(checked(np.full(value.shape, high), "its max"))
    if np.isinf([low, high]).all():
        return value
    return Block(operation.name, value, activations.clip(low, high))


def _limit(operation: Operation, position: int, name: str, absent: float) -> float:
    """Return one end of a Clip: an attribute before opset 11, an input since then."""
    if not operation.has(position):
        return float(operation.attributes.get(name, absent))
    limit = operation.stored(position)
    if limit.size != 1 or limit.ndim > 1 or np.isnan(limit).any():
        raise ValueError(f"its {name} is {limit.tolist()}: expected one number")
    return float(limit.item())


def _gelu(operation: Operation) -> Block:
    match operation.attributes["approximate"]:
        case "none":
            activation = activations.gelu()
        case "tanh":
            activation = activations.gelu_tanh()
        case other:
            raise ValueError(f"its approximate is {other!r}: expected none or tanh")
    return Block(operation.name, operation.affine(0), activation)


def _hard_sigmoid(operation: Operation) -> Value | Block:
    alpha, beta = _attribute(operation, "alpha"), _attribute(operation, "beta")
    value = operation.affine(0)
    if alpha == 0.0:
        return constant(np.full(value.shape, np.clip(beta, 0.0, 1.0)))
    return Block(operation.name, value, activations.hard_sigmoid(alpha, beta))


def _leaky_relu(operation: Operation) -> Value | Block:
    alpha = _attribute(operation, "alpha")
    if alpha == 1.0:
        return operation.affine(0)
    return Block(operation.name, operation.affine(0), activations.leaky_relu(alpha))


def _prelu(operation: Operation) -> Value | Block:
    """Ask for a constant slope."""
    value, slopes = operation.affine(0), operation.real(1)
    if np.broadcast_shapes(value.shape, slopes.shape) != value.shape:
        raise ValueError(f"slopes {slopes.shape} do not fit an input {value.shape}")
    each = np.broadcast_to(slopes, value.shape).ravel()
    if (each == 1.0).all():
        return value
    return Block(operation.name, value, activations.prelu(each))


def _shrink(operation: Operation) -> Block:
    """Ask for a lambd that is the bias."""
    threshold, bias = _attribute(operation, "lambd"), _attribute(operation, "bias")
    if bias != threshold or threshold < 0:
        raise RefusedError(
            f"jumps, its lambd being {threshold} and its bias {bias}, so it has no "
            "Lipschitz constant: both have to be the same number >= 0"
        )
    return Block(operation.name, operation.affine(0), activations.shrink(threshold))


def _swish(operation: Operation) -> Value | Block:
    beta = _attribute(operation, "alpha")
    if beta == 0.0:
        return scaled(operation.affine(0), np.array(0.5))
    return Block(operation.name, operation.affine(0), activations.swish(beta))


def _thresholded_relu(operation: Operation) -> Block:
    """Ask for alpha 0."""
    alpha = _attribute(operation, "alpha")
    if alpha != 0.0:
        raise RefusedError(
            f"jumps at its alpha, {alpha}, so it has no Lipschitz constant: only alpha "
            "0 has one"
        )
    return Block(operation.name, operation.affine(0), activations.relu())


OPERATORS: dict[str, Reader] = {
    "Abs": _scalar(activations.absolute),
    "Asinh": _scalar(activations.asinh),
    "Atan": _scalar(activations.atan),
    "Celu": _celu,
    "Clip": _clip,
    "Cos": _scalar(activations.cos),
    "Elu": _scalar(activations.elu, "alpha"),
    "Erf": _scalar(activations.erf),
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _scalar(activations.hard_swish),
    "LeakyRelu": _leaky_relu,
    "Mish": _scalar(activations.mish),
    "PRelu": _prelu,
    "Relu": _scalar(activations.relu),
    "Selu": _scalar(activations.selu, "alpha", "gamma"),
    "Shrink": _shrink,
    "Sigmoid": _scalar(activations.sigmoid),
    "Sin": _scalar(activations.sin),
    "Softplus": _scalar(activations.softplus),
    "Softsign": _scalar(activations.softsign),
    "Swish": _swish,
    "Tanh": _scalar(activations.tanh),
    "ThresholdedRelu": _thresholded_relu,
}
