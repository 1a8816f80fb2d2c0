"""Batch normalisation in inference mode, which is a scaling of channels."""

import numpy as np

from geolip.importer.algebra import UNIT, broadcast, constant, scaled, total
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError


def _batch_normalisation(operation: Operation) -> Value:
    """Ask for inference mode and constant parameters."""
    attributes = operation.attributes
    # Before opset 14, more than one output means training.
    if attributes.get("training_mode", 0) or any(operation.node.output[1:]):
        raise RefusedError("is in training mode: export the model for inference")
    if not attributes.get("spatial", 1):
        raise RefusedError("spatial=0 is not supported")
    parameters = [operation.real(position) for position in range(1, 5)]
    value = operation.affine(0)
    rank = len(value.shape)
    channels = value.shape[1] if rank > 1 else 1
    if any(parameter.shape != (channels,) for parameter in parameters):
        shapes = ", ".join(str(parameter.shape) for parameter in parameters)
        raise ValueError(f"its parameters have shapes {shapes}: expected {(channels,)}")
    scale, bias, mean, variance = (
        parameter.reshape(-1, *np.ones(max(rank - 2, 0), int))
        for parameter in parameters
    )
    variance = variance + attributes["epsilon"]
    if not (variance > 0).all():
        raise ValueError("a variance plus epsilon is not positive")
    # Three roundings: the sum, its root and the quotient.
    factors = scale / np.sqrt(variance)
    result = scaled(value, factors, rounded=3)
    shifts = mean * factors
    doubt = 8 * UNIT * float((np.abs(bias) + np.abs(shifts)).max(initial=0.0))
    shift = constant(bias - shifts, doubt)
    return total([result, broadcast(shift, result.shape)])


OPERATORS: dict[str, Reader] = {"BatchNormalization": _batch_normalisation}
