"""Sorting along an axis, as GroupSort does: one neuron for each comparison.

A comparison of a and b needs ``r = relu(b - a)``: the larger is ``a + r``, the smaller
``b - r``. Batcher's merge exchange says which to compare.

Source: Knuth, The Art of Computer Programming 3, algorithm 5.2.2M.
"""

from collections.abc import Iterator
from math import prod

import numpy as np

from geolip.activations import linear, relu
from geolip.importer.algebra import entries, mapped, rearranged, total
from geolip.importer.operation import Layers, Operation, Reader
from geolip.importer.refusals import RefusedError
from geolip.network import Block
from geolip.sectors import Mixture


def _top(operation: Operation) -> Layers:
    """Ask for Indices that nobody reads."""
    value, attributes = operation.affine(0), operation.attributes
    differences = value.linear
    rank = len(value.shape)
    axis = attributes["axis"]
    (count,) = operation.integers(1) if operation.has(1) else (attributes["k"],)
    if not -rank <= axis < rank or not 0 <= count <= value.shape[axis]:
        raise ValueError(
            f"there are no {count} entries along axis {axis} of {value.shape}"
        )
    if not attributes.get("sorted", 1) and count > 1:
        raise RefusedError("its results have no order: export it with sorted=1")
    places = np.arange(value.size, dtype=np.int64).reshape(value.shape)
    lanes = np.moveaxis(places, axis, 0)
    for first, second in merge_exchange(len(lanes)):
        a, b = lanes[first].ravel(), lanes[second].ravel()
        rows = np.arange(len(a), dtype=np.int64)
        ends, signs = np.stack([a, b]), np.array([[1.0], [-1.0]])
        difference = entries(rows, ends, -signs, (len(a), value.size))
        comparison = mapped(value, difference, a.shape)
        excess = yield Block(operation.name, comparison, relu())
        exchange = entries(ends, rows, signs, (value.size, len(a)))
        value = total([value, mapped(excess, exchange, value.shape)])
    order = slice(None) if attributes.get("largest", 1) else slice(None, None, -1)
    ranked = np.moveaxis(lanes[order][:count], 0, axis)
    chosen = rearranged([value], ranked + 1)
    # Whichever lane a neuron is of, its window is all of them.
    starts = np.moveaxis(np.broadcast_to(lanes[:1], lanes[:count].shape), 0, axis)
    stride = prod(value.shape[axis:][1:])
    windows = starts.reshape(-1, 1) + stride * np.arange(len(lanes))
    mixture = Mixture(differences, overlap=1, windows=windows)
    found = yield Block(operation.name, chosen, linear("TopK"), mixture)
    indices = RefusedError("its Indices jump, so they have no Lipschitz constant")
    return [found, indices]


def merge_exchange(size: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield rounds of disjoint comparisons that sort ``size`` lanes.

    Each is a pair of lists: lanes that get the larger, and lanes that get the smaller.
    """
    largest_power = 1 << max(size - 1, 0).bit_length() >> 1
    block = largest_power
    while block:
        reach, remainder, distance = largest_power, 0, block
        while True:
            first = [i for i in range(size - distance) if i & block == remainder]
            if first:
                yield first, [i + distance for i in first]
            if reach == block:
                break
            distance, reach, remainder = reach - block, reach >> 1, block
        block >>= 1


OPERATORS: dict[str, Reader] = {"TopK": _top}
