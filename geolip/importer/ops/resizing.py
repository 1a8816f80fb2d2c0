"""Resizing, which interpolates along each axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np

from geolip.importer.algebra import constant, mapped, total
from geolip.importer.interpolation import (
    LINEAR,
    NEAR,
    Weights,
    check_count,
    clamped,
    cubic,
    decided,
    interpolated,
    is_between,
    kept_inside,
    separable,
    stacked,
)
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError

_HALF = Fraction(1, 2)

_ROUNDED: dict[str, Callable[[Fraction], int]] = {
    "round_prefer_floor": lambda x: ceil(decided(x - _HALF)),
    "round_prefer_ceil": lambda x: floor(decided(x + _HALF)),
    "floor": lambda x: floor(decided(x)),
    "ceil": lambda x: ceil(decided(x)),
}


@dataclass(frozen=True)
class _Axis:
    """From ``size`` entries to ``length``; their quotient is only about the scale.

    ``start`` and ``end`` are the part of the axis that tf_crop_and_resize shows.
    """

    size: int
    length: int
    scale: Fraction
    start: Fraction = Fraction(0)
    end: Fraction = Fraction(1)


_PLACES: dict[str, Callable[[int, _Axis], Fraction]] = {
    "align_corners": lambda x, a: _share(x, a) * (a.size - 1),
    "asymmetric": lambda x, a: x / a.scale,
    "half_pixel": lambda x, a: (x + _HALF) / a.scale - _HALF,
    "half_pixel_symmetric": lambda x, a: (
        Fraction(a.size, 2) * (1 - a.length / (a.scale * a.size))
        + (x + _HALF) / a.scale
        - _HALF
    ),
    "pytorch_half_pixel": lambda x, a: (
        (x + _HALF) / a.scale - _HALF if a.length > 1 else Fraction()
    ),
    "tf_crop_and_resize": lambda x, a: (
        (a.start + _share(x, a, _HALF) * (a.end - a.start)) * (a.size - 1)
    ),
    "tf_half_pixel_for_nn": lambda x, a: (x + _HALF) / a.scale,
}
# Some runtimes put the scaled length here before it is rounded.
_BY_LENGTH = ("align_corners", "tf_crop_and_resize")


def _share(x: int, axis: _Axis, alone: Fraction = Fraction(0)) -> Fraction:
    """Return how far entry ``x`` is along an axis, from 0 to 1."""
    return Fraction(x, axis.length - 1) if axis.length > 1 else alone


def _resize(operation: Operation) -> Value:
    """Ask for constant sizes and scales, no place very near a jump."""
    value = operation.affine(0)
    axes = _axes(operation, value.shape)
    rows = [_weights(operation, axis) for axis in axes]
    parts = zip(rows, axes, strict=True)
    operator = separable([stacked(found, axis.size) for found, axis in parts])
    result = mapped(value, operator, tuple(axis.length for axis in axes))
    beyond = operation.attributes.get("extrapolation_value", 0.0)
    outside = np.zeros(result.shape, dtype=bool)
    for number, found in enumerate(rows):
        empty = np.array([not weights for weights in found], dtype=bool)
        outside |= empty.reshape(-1, *[1] * (len(axes) - number - 1))
    return total([result, constant(np.where(outside, beyond, 0.0))])


def _axes(operation: Operation, shape: Sequence[int]) -> list[_Axis]:
    """Return what becomes of each axis."""
    rank = len(shape)
    chosen = [axis % rank for axis in operation.attributes.get("axes", range(rank))]
    regions = _numbers(operation, 1) if operation.opset > 10 else []
    if not len(set(chosen)) == len(chosen) or len(regions) not in (0, 2 * len(chosen)):
        raise ValueError(f"its roi {regions} does not fit axes {chosen}")
    sizes = operation.integers(3) if operation.has(3) else []
    given = _scales(operation)
    if bool(sizes) == bool(given) or len(sizes or given) != len(chosen):
        raise ValueError(f"scales {given}, sizes {sizes}: expected one for each axis")
    if min(sizes or given, default=1) <= 0:
        raise ValueError("its scales or sizes are not positive")
    if sizes:
        sizes, scales = _kept_ratio(operation, sizes, [shape[axis] for axis in chosen])
    else:
        scales = given
        sizes = [
            floor(decided(s * shape[a])) for s, a in zip(given, chosen, strict=True)
        ]
    axes = [_Axis(n, n, Fraction(1)) for n in shape]
    crops = operation.attributes.get("coordinate_transformation_mode", "")
    for number, axis in enumerate(chosen):
        axes[axis] = _Axis(shape[axis], sizes[number], scales[number])
        if crops == "tf_crop_and_resize" and regions:
            region = regions[number :: len(chosen)]
            axes[axis] = _Axis(shape[axis], sizes[number], scales[number], *region)
            if given and region[1] - region[0] != 1:
                raise RefusedError("a roi with scales: runtimes disagree, give sizes")
    return axes


def _scales(operation: Operation) -> list[Fraction]:
    if "scales" in operation.schema.attributes:
        return [Fraction(scale) for scale in operation.attributes["scales"]]
    return _numbers(operation, 2 if operation.opset > 10 else 1)


def _numbers(operation: Operation, position: int) -> list[Fraction]:
    if not operation.has(position):
        return []
    return [Fraction(float(number)) for number in operation.real(position).ravel()]


def _kept_ratio(
    operation: Operation, sizes: list[int], shape: Sequence[int]
) -> tuple[list[int], list[Fraction]]:
    """Return sizes and scales that follow the policy on the aspect ratio."""
    scales = [Fraction(size, n) for size, n in zip(sizes, shape, strict=True)]
    policy = operation.attributes.get("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return sizes, scales
    if policy not in ("not_larger", "not_smaller"):
        raise ValueError(f"its keep_aspect_ratio_policy {policy!r} is unknown")
    scale = min(scales) if policy == "not_larger" else max(scales)
    return [floor(scale * n + _HALF) for n in shape], [scale] * len(shape)


def _weights(operation: Operation, axis: _Axis) -> list[Weights]:
    """Return the weights of every entry of an axis, none for one outside the input."""
    attributes = operation.attributes
    # Up to opset 10 nothing else was there to choose.
    mode = attributes.get("coordinate_transformation_mode", "asymmetric")
    rounding = attributes.get("nearest_mode", "floor")
    if mode not in _PLACES or rounding not in _ROUNDED:
        raise ValueError(f"its modes {mode!r} and {rounding!r}: one is unknown")
    if mode in _BY_LENGTH and abs(axis.scale * axis.size - axis.length) > NEAR:
        raise RefusedError(f"{mode} with a fractional length: runtimes disagree")
    if axis.length == axis.size and axis != _Axis(axis.size, axis.size, Fraction(1)):
        raise RefusedError("resizes an axis to its own length: runtimes disagree")
    check_count(axis.length)
    found: list[Weights] = []
    for x in range(axis.length):
        place = _PLACES[mode](x, axis)
        last = Fraction(axis.size - 1)
        crops = mode == "tf_crop_and_resize"
        if crops and not is_between(place, Fraction(), last):
            found.append({})
        else:
            found.append(_weights_at(operation, axis, place, _ROUNDED[rounding]))
    return found


def _weights_at(
    operation: Operation,
    axis: _Axis,
    place: Fraction,
    nearest: Callable[[Fraction], int],
) -> Weights:
    attributes = operation.attributes
    match attributes["mode"]:
        case "nearest":
            if operation.opset <= 10 and axis.scale < 1 and place.denominator > 1:
                raise RefusedError("nearest, scale below 1: runtimes disagree")
            return clamped({nearest(place): Fraction(1)}, axis.size)
        case "linear":
            kernel = LINEAR
        case "cubic":
            kernel = cubic(Fraction(attributes["cubic_coeff_a"]))
        case mode:
            raise ValueError(f"its mode {mode!r} is unknown")
    filters = attributes.get("antialias", 0) and axis.scale < 1
    weights = interpolated(place, kernel, axis.scale if filters else Fraction(1))
    if attributes.get("exclude_outside", 0):
        return kept_inside(weights, axis.size)
    return clamped(weights, axis.size)


OPERATORS: dict[str, Reader] = {"Resize": _resize, "Upsample": _resize}
