"""Average pooling, a sparse matrix of averages."""

import numpy as np

from geolip.importer.algebra import entries, mapped
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError
from geolip.importer.window import PADDING, Window, cells_of, window_of


def _average(operation: Operation) -> Value:
    value = operation.affine(0)
    attributes = operation.attributes
    if len(value.shape) < 3:
        raise ValueError(f"its input has shape {value.shape}: no axis to pool over")
    space = value.shape[2:]
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
    cells = cells_of(value.shape, window, out_space)
    counted = cells >= (PADDING if attributes["count_include_pad"] else 0)
    counts = counted.sum(axis=1)
    if not counts.all():
        raise ValueError("a window lies in the padding, so that it averages nothing")
    rows, taps = np.nonzero(cells >= 0)
    shape = (len(cells), value.size)
    averages = 1.0 / counts[rows]
    operator = entries(rows, cells[rows, taps], averages, shape, rounded=1)
    return mapped(value, operator, (*value.shape[:2], *out_space))


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


OPERATORS: dict[str, Reader] = {"AveragePool": _average}
