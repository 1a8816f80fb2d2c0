"""The sliding windows of convolution and pooling: strides, dilations, padding."""

from dataclasses import dataclass, replace

from geolip.importer.operation import Operation
from geolip.importer.refusals import RefusedError


@dataclass(frozen=True)
class Window:
    """A window that slides over the spatial axes of a tensor.

    Parameters
    ----------
    taps, strides, dilations : tuple of int
        One for each spatial axis.
    pads : tuple of (int, int)
        Cells added before and after each spatial axis.
    """

    taps: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]

    @property
    def extents(self) -> tuple[int, ...]:
        """The number of cells from the first tap to the last, for each axis."""
        pairs = zip(self.taps, self.dilations, strict=True)
        return tuple((taps - 1) * dilation + 1 for taps, dilation in pairs)


def window_of(
    operation: Operation, space: tuple[int, ...], taps: tuple[int, ...]
) -> Window:
    """Read the window that an operation slides over axes of lengths ``space``.

    Raises
    ------
    RefusedError
        If the padding is chosen by a rule that runtimes read differently.
    ValueError
        If an attribute has the wrong length or sign, or the window does not fit.
    """
    window = declared_window(operation, len(space), taps)
    automatic = operation.attributes.get("auto_pad", "NOTSET")
    if automatic != "NOTSET":
        if any(map(any, window.pads)):
            raise ValueError(f"it has both pads and auto_pad {automatic}")
        window = replace(window, pads=_pads(automatic, space, window))
    sizes = zip(space, window.pads, window.extents, strict=True)
    if any(n + before + after < extent for n, (before, after), extent in sizes):
        raise ValueError(f"its window does not fit into an input of shape {space}")
    return window


def declared_window(operation: Operation, rank: int, taps: tuple[int, ...]) -> Window:
    """Read a window of ``rank`` axes, with the padding that is given in numbers.

    Raises
    ------
    ValueError
        If an attribute has the wrong length or sign.
    """
    attributes = operation.attributes
    strides = tuple(attributes.get("strides", [1] * rank))
    dilations = tuple(attributes.get("dilations", [1] * rank))
    given = attributes.get("pads", [0] * 2 * rank)
    if not len(taps) == len(strides) == len(dilations) == rank == len(given) / 2:
        raise ValueError(f"its window does not have the {rank} axes of its input")
    if min((*taps, *strides, *dilations), default=1) < 1 or min(given, default=0) < 0:
        raise ValueError("its window has sizes that are not positive")
    pads = tuple(zip(given[:rank], given[rank:], strict=True))
    return Window(taps, strides, dilations, pads)


def _pads(
    automatic: str, space: tuple[int, ...], window: Window
) -> tuple[tuple[int, int], ...]:
    """Return the padding for which each output axis has ceil(n / stride) places."""
    if automatic == "VALID":
        return window.pads
    if automatic not in ("SAME_UPPER", "SAME_LOWER"):
        raise ValueError(f"auto_pad {automatic!r} is unknown")
    if any(dilation > 1 for dilation in window.dilations):
        raise RefusedError(f"auto_pad {automatic} with dilations: runtimes disagree")
    pads = []
    for n, stride, extent in zip(space, window.strides, window.extents, strict=True):
        whole = max(0, (-(-n // stride) - 1) * stride + extent - n)
        less, more = whole // 2, whole - whole // 2
        pads.append((less, more) if automatic == "SAME_UPPER" else (more, less))
    return tuple(pads)
