"""Interpolation along axes, with weights in exact fractions.

A tensor between whose entries is interpolated stands for a function on the reals; its
entry i is at place i. Weights are rounded to float64 once, at the end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

import numpy as np
from scipy import sparse

from geolip.importer.growth import check_fits
from geolip.importer.magnitude import checked
from geolip.importer.refusals import RefusedError
from geolip.linear import Sparse

Weights: TypeAlias = Mapping[int, Fraction]
"""The weight of every place that is read, also of places outside the tensor."""

# Runtimes compute places in float32.
NEAR = Fraction(1, 2**18)
# More places along one axis would take minutes.
_MOST = 2**14
_BITS = 53


@dataclass(frozen=True)
class Kernel:
    """How weights fall with the distance.

    Parameters
    ----------
    support : int
        From this distance on they are zero.
    weight : callable
        The weight of each smaller distance.
    """

    support: int
    weight: Callable[[Fraction], Fraction]


LINEAR = Kernel(1, lambda distance: 1 - distance)


def cubic(a: Fraction) -> Kernel:
    """Return the cubic convolution kernel with slope ``a`` at distance 1.

    Source: Keys, Cubic convolution interpolation for digital image processing (1981),
    equation 4.
    """

    def weight(t: Fraction) -> Fraction:
        if t <= 1:
            return ((a + 2) * t - (a + 3)) * t * t + 1
        return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a

    return Kernel(2, weight)


def interpolated(place: Fraction, kernel: Kernel, scale: Fraction) -> Weights:
    """Return the weights for the value at a place.

    A ``scale`` below 1 stretches the kernel, which filters out what a coarser grid
    cannot show.
    """
    reach = kernel.support / scale
    places = range(floor(place - reach) + 1, ceil(place + reach))
    weights = {i: kernel.weight(abs(i - place) * scale) for i in places}
    return _shares(weights)


def _shares(weights: Weights) -> Weights:
    """Return the weights divided by their sum."""
    total = sum(weights.values())
    if not total:
        raise ValueError("the weights of an interpolation sum to zero")
    return {i: weight / total for i, weight in weights.items() if weight}


def kept_inside(weights: Weights, size: int) -> Weights:
    """Return the weights of the places that exist, which then sum to one again."""
    return _shares({i: w for i, w in weights.items() if 0 <= i < size})


def moved(weights: Weights, move: Callable[[int], int]) -> Weights:
    """Return the weights after every place was moved, such as into the tensor."""
    sums: dict[int, Fraction] = {}
    for place, weight in weights.items():
        target = move(place)
        sums[target] = sums.get(target, Fraction()) + weight
    return sums


def clamped(weights: Weights, size: int) -> Weights:
    """Return the weights with the tensor's ends repeated on and on."""
    return moved(weights, lambda place: min(max(place, 0), size - 1))


def check_count(count: int) -> None:
    """Refuse more places along one axis than can be computed one by one.

    Raises
    ------
    RefusedError
        If there are too many.
    """
    if count > _MOST:
        raise RefusedError(
            f"computes at {count} places along an axis: at most {_MOST} are supported"
        )


def decided(place: Fraction) -> Fraction:
    """Return a number that is compared with an integer, if runtimes agree on that.

    Raises
    ------
    RefusedError
        If it is so near an integer, but not one, that float32 may not tell.
    """
    _check_apart(place, round(place))
    return place


def is_between(place: Fraction, first: Fraction, last: Fraction) -> bool:
    """Return whether a place is not outside two others, if runtimes agree on that.

    Raises
    ------
    RefusedError
        If it is so near one of them, but not there, that float32 may not tell.
    """
    _check_apart(place, first)
    _check_apart(place, last)
    return first <= place <= last


def _check_apart(place: Fraction, jump: Fraction | int) -> None:
    off, size = abs(place - jump), abs(place)
    if 0 < off <= max(NEAR, NEAR * size):
        raise RefusedError(
            f"a place, {float(place)!r}, is so near a jump that runtimes disagree: "
            "choose scales or sizes that float32 divides exactly"
        )


def product(axes: Sequence[Weights], sizes: Sequence[int]) -> Weights:
    """Return the weights of flat places for weights along each axis of a tensor."""
    flat: Weights = {0: Fraction(1)}
    for weights, size in zip(axes, sizes, strict=True):
        flat = {
            place * size + i: left * right
            for place, left in flat.items()
            for i, right in weights.items()
        }
    return flat


def stacked(rows: Sequence[Weights], size: int) -> Sparse:
    """Return the matrix with the given rows, entries rounded to nearest."""
    weights = [weight for row in rows for weight in row.values()]
    values = checked(np.array([float(w) for w in weights]), "an interpolation")
    columns = np.array([place for row in rows for place in row], dtype=np.int64)
    ends = np.cumsum([0, *(len(row) for row in rows)])
    matrix = sparse.csr_array((values, columns, ends), shape=(len(rows), size))
    matrix.sort_indices()
    matrix.eliminate_zeros()
    exact = all(map(_is_exact, weights))
    return Sparse(matrix, rounded=0 if exact else 1)


def separable(axes: Sequence[Sparse]) -> Sparse:
    """Return the map that applies one matrix along each axis of a tensor."""
    check_fits([axis.matrix.nnz for axis in axes])
    whole, bits = sparse.csr_array(np.ones((1, 1))), 0
    for axis in axes:
        whole = sparse.csr_array(sparse.kron(whole, axis.matrix, format="csr"))
        bits += max((_bits(value) for value in axis.matrix.data), default=0)
    rounded = sum(axis.rounded for axis in axes)
    if rounded or bits > _BITS:
        factors = sum(bool((axis.matrix.data != 1).any()) for axis in axes)
        rounded += factors - 1
    return Sparse(whole, rounded)


def _is_exact(weight: Fraction) -> bool:
    return Fraction(float(weight)) == weight


def _bits(value: float) -> int:
    """Return how many bits a number adds to a product, none if it is one."""
    return Fraction(value).numerator.bit_length() if value != 1 else 0
