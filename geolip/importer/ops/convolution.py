"""Convolution with constant weights, in any number of dimensions."""

import numpy as np

from geolip.importer.algebra import broadcast, constant, mapped, total
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.window import window_of
from geolip.linear import Convolution


def _convolve(operation: Operation) -> Value:
    kernel = operation.real(1)
    value = operation.affine(0)
    if kernel.ndim < 3 or len(value.shape) != kernel.ndim:
        raise ValueError(
            f"weights of shape {kernel.shape} do not fit input shape {value.shape}"
        )
    batch, channels, *space = value.shape
    taps = kernel.shape[2:]
    groups = operation.attributes["group"]
    if tuple(operation.attributes.get("kernel_shape", taps)) != taps:
        raise ValueError(f"its kernel_shape is not that of its weights, {taps}")
    c_out, depth = kernel.shape[:2]
    if groups < 1 or c_out % groups or depth * groups != channels:
        raise ValueError(
            f"weights of shape {kernel.shape} in {groups} groups do not fit "
            f"{channels} channels"
        )
    window = window_of(operation, tuple(space), taps)
    operator = Convolution(
        kernel=kernel,
        space=tuple(space),
        strides=window.strides,
        dilations=window.dilations,
        pads=window.pads,
        groups=groups,
        batch=batch,
        rounded=operation.rounded(1),
    )
    result = mapped(value, operator, (batch, c_out, *operator.out_space))
    if not operation.has(2):
        return result
    bias = operation.real(2)
    if bias.shape != (c_out,):
        raise ValueError(f"its bias has shape {bias.shape}: expected {(c_out,)}")
    per_channel = constant(bias.reshape(-1, *np.ones(len(space), int)))
    return total([result, broadcast(per_channel, result.shape)])


OPERATORS: dict[str, Reader] = {"Conv": _convolve}
