"""The window of a transposed convolution: how far its output reaches."""

from dataclasses import replace

from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError
from geolip.importer.window import Window, declared_window

_SAME = ("SAME_UPPER", "SAME_LOWER")


def transposed_window_of(
    operation: Operation, space: tuple[int, ...], taps: tuple[int, ...]
) -> tuple[Window, tuple[int, ...]]:
    """Read the window of a transposed convolution of a tensor of lengths ``space``.

    Returns
    -------
    Window
        That of the convolution that it is the adjoint of.
    tuple of int
        The lengths of the output, which that convolution slides over.

    Raises
    ------
    RefusedError
        If the output is longer than its formula tells, which runtimes read differently.
    ValueError
        If an attribute has the wrong length or sign, or nothing is left of the output.
    """
    window = declared_window(operation, len(space), taps)
    extra = tuple(operation.attributes.get("output_padding", [0] * len(space)))
    if len(extra) != len(space) or min(extra, default=0) < 0:
        raise ValueError(f"its output_padding {extra} does not fit shape {space}")
    axes = list(zip(space, window.strides, window.extents, strict=True))
    reach = [(n - 1) * s + extent for n, s, extent in axes]
    whole = [length + more for length, more in zip(reach, extra, strict=True)]
    wanted = _wanted(operation, space, window)
    if wanted is None:
        pads = window.pads
        cuts = zip(whole, pads, strict=True)
        wanted = [length - before - after for length, (before, after) in cuts]
    else:
        surplus = [length - n for length, n in zip(whole, wanted, strict=True)]
        pads = _shared(operation, surplus)
    if min(wanted, default=1) < 1:
        raise ValueError(f"nothing is left of its output: shape {wanted}")
    # What is added at the end is cut off less of there, or else reads no input.
    ends = zip(wanted, pads, reach, strict=True)
    after = [n + before - length for n, (before, _), length in ends]
    if any(more >= stride for more, stride in zip(after, window.strides, strict=True)):
        raise RefusedError("an output a stride longer than its window is not supported")
    starts = (before for before, _ in pads)
    inner = zip(starts, (max(0, -more) for more in after), strict=True)
    return replace(window, pads=tuple(inner)), tuple(wanted)


def _wanted(
    operation: Operation, space: tuple[int, ...], window: Window
) -> list[int] | None:
    """Return the lengths of the output, None if they follow from the padding."""
    automatic = operation.attributes.get("auto_pad", "NOTSET")
    wanted = operation.attributes.get("output_shape")
    if automatic not in ("NOTSET", "VALID", *_SAME):
        raise ValueError(f"auto_pad {automatic!r} is unknown")
    if automatic != "NOTSET" and any(map(any, window.pads)):
        raise ValueError(f"it has both pads and auto_pad {automatic}")
    if wanted is not None and len(wanted) != len(space):
        raise ValueError(f"its output_shape {wanted} does not fit shape {space}")
    if wanted is None and automatic in _SAME:
        return [n * s for n, s in zip(space, window.strides, strict=True)]
    return None if wanted is None else list(wanted)


def _shared(operation: Operation, surplus: list[int]) -> tuple[tuple[int, int], ...]:
    """Return how a surplus is cut off at both ends of each axis."""
    automatic = operation.attributes.get("auto_pad", "NOTSET")
    if automatic in _SAME and min(surplus, default=0) < 0:
        raise RefusedError("an output longer than its window: runtimes disagree")
    if operation.opset < 11 and any(length % 2 for length in surplus):
        raise RefusedError("odd padding before opset 11: runtimes disagree")
    # Where nothing is to be cut off, zeros are added at the end.
    halves = [divmod(max(0, length), 2) for length in surplus]
    if automatic == "SAME_UPPER":
        return tuple((half, half + odd) for half, odd in halves)
    return tuple((half + odd, half) for half, odd in halves)
