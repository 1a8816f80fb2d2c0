"""The coordinates that the windows of a pooling read."""

from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError
from geolip.importer.window import Window, window_of

PADDING = -1  # a cell of the declared padding, which may count in an average
OUTSIDE = -2  # a cell after it, reached by the last window of ceil_mode: never counts


def pooled_cells(
    operation: Operation, shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Return the coordinates in every window, and the shape of all windows.

    Parameters
    ----------
    operation : Operation
        A pooling operator.
    shape : tuple of int
        Of the tensor whose coordinates are numbered from 0 on.

    Returns
    -------
    array of int (windows, k_1, ..., k_d)
        With `PADDING` and `OUTSIDE` where there are none.
    tuple of int
        One window for each entry of a tensor of this shape.
    """
    attributes = operation.attributes
    if len(shape) < 3:
        raise ValueError(f"its input has shape {shape}: no axis to pool over")
    space = shape[2:]
    window = window_of(operation, space, tuple(attributes["kernel_shape"]))
    automatic = attributes["auto_pad"]
    ceiling = bool(attributes.get("ceil_mode", 0))
    if automatic != "NOTSET" and ceiling:
        raise RefusedError(f"auto_pad {automatic} with ceil_mode: runtimes disagree")
    if automatic.startswith("SAME") and any(
        stride > extent
        for stride, extent in zip(window.strides, window.extents, strict=True)
    ):
        raise RefusedError(
            f"auto_pad {automatic}, strides over gaps: runtimes disagree"
        )
    out_space = _out_space(space, window, ceiling)
    return cells_of(shape, window, out_space), (*shape[:2], *out_space)


def _out_space(
    space: tuple[int, ...], window: Window, ceiling: bool
) -> tuple[int, ...]:
    """Return the number of windows on each axis."""
    sizes = []
    for n, stride, extent, (before, after) in zip(
        space, window.strides, window.extents, window.pads, strict=True
    ):
        steps, rest = divmod(n + before + after - extent, stride)
        # A last window that would start after the input and its padding before is none.
        extra = ceiling and rest > 0 and (steps + 1) * stride < n + before
        sizes.append(steps + 1 + extra)
    return tuple(sizes)


def cells_of(
    shape: tuple[int, ...], window: Window, out_space: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return the coordinates in every place of a window, (windows, k_1, ..., k_d).

    Parameters
    ----------
    shape : tuple of int
        Of the tensor, (batch, channels, *space).
    window : Window
        A window that slides over its spatial axes.
    out_space : tuple of int
        How many places it has on each of them.
    """
    places = np.arange(prod(shape), dtype=np.int64).reshape(shape)
    flat = [(0, 0), (0, 0)]
    padded = np.pad(places, [*flat, *window.pads], constant_values=PADDING)
    reach = [
        (count - 1) * stride + extent
        for count, stride, extent in zip(
            out_space, window.strides, window.extents, strict=True
        )
    ]
    lengths = zip(reach, padded.shape[2:], strict=True)
    missing = [(0, max(0, needed - length)) for needed, length in lengths]
    padded = np.pad(padded, [*flat, *missing], constant_values=OUTSIDE)
    axes = tuple(range(2, len(shape)))
    views = sliding_window_view(padded, window.extents, axis=axes)
    starts = [
        slice(0, (count - 1) * stride + 1, stride)
        for count, stride in zip(out_space, window.strides, strict=True)
    ]
    taps = [slice(None, None, dilation) for dilation in window.dilations]
    cells = views[(slice(None), slice(None), *starts, *taps)]
    return cells.reshape(-1, *window.taps)
