"""Sampling a tensor at constant places between its entries."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, prod

import numpy as np

from geolip.importer.algebra import entries, mapped
from geolip.importer.interpolation import (
    LINEAR,
    Weights,
    check_count,
    clamped,
    cubic,
    decided,
    interpolated,
    is_between,
    moved,
    product,
    stacked,
)
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError
from geolip.linear import Sparse
from geolip.network import Affine

_HALF = Fraction(1, 2)
_ONE = Fraction(1)

# Before opset 20 the modes had other names.
_MODES = {"bilinear": "linear", "bicubic": "cubic"}
_CUBIC = cubic(Fraction(-3, 4))


def _grid_sample(operation: Operation) -> Value:
    """Ask for a constant grid."""
    value, grid = operation.affine(0), operation.real(1)
    batch, _, *space = value.shape
    if grid.ndim != len(value.shape) or (len(grid), grid.shape[-1]) != (
        batch,
        len(space),
    ):
        raise ValueError(f"a grid of shape {grid.shape} does not fit {value.shape}")
    rows, images = [], []
    for image, points in enumerate(grid.reshape(batch, -1, len(space))):
        for point in points:
            # The last axis comes first in a grid.
            along = zip(point[::-1], space, strict=True)
            axes = [_grid_weights(operation, float(at), n) for at, n in along]
            rows.append(product(axes, space))
            images.append(image)
    out_space = grid.shape[1:-1]
    return _sampled(value, stacked(rows, prod(space)), images, batch, out_space)


def _grid_weights(operation: Operation, at: float, size: int) -> Weights:
    """Return the weights along an axis, whose ends are at -1 and 1."""
    attributes = operation.attributes
    padding = attributes["padding_mode"]
    if attributes["align_corners"]:
        first, last = Fraction(0), Fraction(size - 1)
    else:
        first, last = -_HALF, size - _HALF
    place = first + (Fraction(at) + 1) / 2 * (last - first)
    mode = _MODES.get(attributes["mode"], attributes["mode"])
    if mode == "nearest":
        decided(place - _HALF)
        place = Fraction(round(place))
    if padding == "reflection" and first == last:
        raise RefusedError("a reflection at an axis of one entry is not supported")
    if not first <= place <= last:
        if mode == "cubic" and padding == "border":
            raise RefusedError("cubic outside a border: runtimes disagree")
        if padding == "border":
            place = min(max(place, Fraction(0)), Fraction(size - 1))
        elif padding == "reflection":
            place = _reflected(place, first, last)
    match mode:
        case "nearest":
            weights: Weights = {int(place): _ONE}
        case "linear":
            weights = interpolated(place, LINEAR, _ONE)
        case "cubic":
            weights = interpolated(place, _CUBIC, _ONE)
        case _:
            raise ValueError(f"its mode {mode!r} is unknown")
    match padding:
        case "zeros":
            return {i: weight for i, weight in weights.items() if 0 <= i < size}
        case "border":
            return clamped(weights, size)
        case "reflection":
            return moved(weights, lambda i: int(_reflected(Fraction(i), first, last)))
    raise ValueError(f"its padding_mode {padding!r} is unknown")


def _reflected(place: Fraction, first: Fraction, last: Fraction) -> Fraction:
    """Return a place between two mirrors."""
    width = last - first
    along = (place - first) % (2 * width)
    return first + min(along, 2 * width - along)


def _align(operation: Operation) -> Value:
    """Ask for mode avg and constant regions."""
    value, regions = operation.affine(0), operation.real(1)
    images, attributes = operation.integers(2), operation.attributes
    if attributes["mode"] != "avg":
        raise RefusedError(f"mode {attributes['mode']!r} is not supported")
    if len(value.shape) != 4 or regions.shape != (len(images), 4):
        raise ValueError(f"regions {regions.shape} do not fit input {value.shape}")
    if not all(0 <= image < value.shape[0] for image in images):
        raise ValueError(f"its batch_indices are not from 0 to {value.shape[0] - 1}")
    height, width = value.shape[2:]
    out_space = attributes["output_height"], attributes["output_width"]
    rows: list[Weights] = []
    for left, top, right, bottom in regions.tolist():
        down = _averages(operation, top, bottom, height, out_space[0])
        across = _averages(operation, left, right, width, out_space[1])
        rows += [product([y, x], [height, width]) for y in down for x in across]
    places = np.repeat(images, prod(out_space)).tolist()
    operator = stacked(rows, height * width)
    return _sampled(value, operator, places, len(images), out_space)


def _averages(
    operation: Operation, start: float, end: float, size: int, count: int
) -> list[Weights]:
    """Return the weights of the means over ``count`` equal parts of a region."""
    attributes = operation.attributes
    # Before opset 16 half a pixel was lost, and regions had a least size.
    mode = attributes.get("coordinate_transformation_mode", "output_half_pixel")
    scale = Fraction(attributes["spatial_scale"])
    offset = _HALF if mode == "half_pixel" else Fraction()
    first = Fraction(start) * scale - offset
    length = (Fraction(end) - Fraction(start)) * scale
    if mode != "half_pixel":
        length = max(length, _ONE)
    part = length / count
    samples = attributes["sampling_ratio"] or ceil(decided(part))
    if samples < 1:
        raise ValueError("a region is empty")
    check_count(count * samples)
    found: list[Weights] = []
    for k in range(count):
        sums: dict[int, Fraction] = {}
        for sample in range(samples):
            place = first + part * (k + (sample + _HALF) / samples)
            for i, weight in _inside(place, size).items():
                sums[i] = sums.get(i, Fraction()) + weight / samples
        found.append(sums)
    return found


def _inside(place: Fraction, size: int) -> Weights:
    """Return the weights at a place, none further than one entry outside."""
    if not is_between(place, -_ONE, Fraction(size)):
        return {}
    return interpolated(min(max(place, Fraction(0)), Fraction(size - 1)), LINEAR, _ONE)


def _sampled(
    value: Affine,
    rows: Sparse,
    images: Sequence[int],
    batch: int,
    out_space: Sequence[int],
) -> Affine:
    """Return each row applied to all channels of its image.

    Parameters
    ----------
    value : Affine
        Of shape (images, channels, *space).
    rows : Sparse
        Weights of the entries of one channel, ``batch`` times one for each place.
    images : sequence of int
        From which image each row reads.
    batch : int
        The number of images that are made.
    out_space : sequence of int
        The places of each.
    """
    channels, count = value.shape[1], prod(out_space)
    matrix = rows.matrix.tocoo()
    size = rows.shape[1]
    image = np.array(images, dtype=np.int64)[matrix.row]
    made, place = np.divmod(matrix.row, max(count, 1))
    each = np.arange(channels)[:, None]
    result = ((made * channels + each) * count + place).ravel()
    source = ((image * channels + each) * size + matrix.col).ravel()
    shape = (batch, channels, *out_space)
    values = np.tile(matrix.data, channels)
    operator = entries(result, source, values, (prod(shape), value.size), rows.rounded)
    return mapped(value, operator, shape)


OPERATORS: dict[str, Reader] = {"GridSample": _grid_sample, "RoiAlign": _align}
