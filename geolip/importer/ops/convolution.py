"""Convolution with constant weights, in any number of dimensions."""

from geolip.arrays import Array
from geolip.importer.algebra import broadcast, constant, mapped, total
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.transposed_window import transposed_window_of
from geolip.importer.window import window_of
from geolip.linear import Convolution, TransposedConvolution
from geolip.network import Affine


def _convolve(operation: Operation) -> Value:
    """Ask for constant weights and bias."""
    kernel, value = _operands(operation)
    batch, channels, *space = value.shape
    groups = operation.attributes["group"]
    c_out, depth = kernel.shape[:2]
    if groups < 1 or c_out % groups or depth * groups != channels:
        raise ValueError(_misfit(kernel, groups, channels))
    window = window_of(operation, tuple(space), kernel.shape[2:])
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
    return _biased(operation, result)


def _convolve_transposed(operation: Operation) -> Value:
    """Ask for constant weights and bias, padding that all runtimes read alike."""
    kernel, value = _operands(operation)
    batch, channels, *space = value.shape
    groups = operation.attributes["group"]
    if groups < 1 or channels % groups or len(kernel) != channels:
        raise ValueError(_misfit(kernel, groups, channels))
    window, out_space = transposed_window_of(operation, tuple(space), kernel.shape[2:])
    convolution = Convolution(
        kernel=kernel,
        space=out_space,
        strides=window.strides,
        dilations=window.dilations,
        pads=window.pads,
        groups=groups,
        batch=batch,
        rounded=operation.rounded(1),
    )
    operator = TransposedConvolution(convolution)
    shape = (batch, convolution.channels[1], *out_space)
    return _biased(operation, mapped(value, operator, shape))


def _operands(operation: Operation) -> tuple[Array, Affine]:
    kernel, value = operation.real(1), operation.affine(0)
    if kernel.ndim < 3 or len(value.shape) != kernel.ndim:
        raise ValueError(
            f"weights of shape {kernel.shape} do not fit input shape {value.shape}"
        )
    taps = kernel.shape[2:]
    if tuple(operation.attributes.get("kernel_shape", taps)) != taps:
        raise ValueError(f"its kernel_shape is not that of its weights, {taps}")
    return kernel, value


def _misfit(kernel: Array, groups: int, channels: int) -> str:
    return (
        f"weights of shape {kernel.shape} in {groups} groups do not fit "
        f"{channels} channels"
    )


def _biased(operation: Operation, result: Affine) -> Affine:
    if not operation.has(2):
        return result
    bias, channels = operation.real(2), result.shape[1]
    if bias.shape != (channels,):
        raise ValueError(f"its bias has shape {bias.shape}: expected {(channels,)}")
    per_channel = constant(bias.reshape(-1, *[1] * (len(result.shape) - 2)))
    return total([result, broadcast(per_channel, result.shape)])


OPERATORS: dict[str, Reader] = {
    "Conv": _convolve,
    "ConvTranspose": _convolve_transposed,
}
