"""The text format ``.nnet`` of the ACAS Xu networks.

Source: https://github.com/sisl/NNet, version 1. Comments; the numbers of layers, inputs
and outputs and the largest size; all sizes; an unused line; the inputs' minima, maxima,
means and ranges; then, for each layer, the rows of its weights and its biases, a line
each. A decimal number stands for the float64 number that is nearest.

The network begins behind the normalisation ``(x - mean) / range``, as in the ONNX files
that are made of them: bounds are for one unit of a normalised input.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from geolip.arrays import Array
from geolip.importer.formats import Format
from geolip.importer.matrices import relu_network
from geolip.network import Network


def read(content: bytes) -> Network:
    """Return the network of a file, without the normalisation around it."""
    lines = content.decode("ascii").splitlines()
    rows = _rows(line for line in lines if not line.startswith("//"))
    layers, inputs, outputs, _ = _integers(rows, "numbers of layers", 4)
    sizes = _integers(rows, "sizes of the layers", layers + 1)
    if min(sizes) < 1 or (sizes[0], sizes[-1]) != (inputs, outputs):
        raise ValueError(
            f"its layers have the sizes {sizes}, but it names {inputs} inputs and "
            f"{outputs} outputs"
        )
    next(rows, None)
    # The last mean and range are of the output.
    for what, count in (("minima", 0), ("maxima", 0), ("means", 1), ("ranges", 1)):
        _reals(rows, what, inputs + count)
    weights, biases = [], []
    for number, (n, m) in enumerate(pairwise(sizes)):
        layer = [_reals(rows, f"weights of layer {number}", n) for _ in range(m)]
        weights.append(np.array(layer))
        layer = [_reals(rows, f"biases of layer {number}", 1) for _ in range(m)]
        biases.append(np.concatenate(layer))
    if next(rows, None) is not None:
        raise ValueError("it goes on after the last layer")
    return relu_network(weights, biases)


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    """Yield the entries of every line, which may end with a comma."""
    for line in lines:
        if line.strip():
            yield line.strip().removesuffix(",").split(",")


def _integers(rows: Iterator[list[str]], what: str, count: int) -> list[int]:
    return [int(entry) for entry in _entries(rows, what, count)]


def _reals(rows: Iterator[list[str]], what: str, count: int) -> Array:
    return np.array([float(entry) for entry in _entries(rows, what, count)])


def _entries(rows: Iterator[list[str]], what: str, count: int) -> list[str]:
    entries = next(rows, [])
    if len(entries) != count:
        raise ValueError(f"{len(entries)} {what}: expected {count}")
    return entries


FORMAT = Format(".nnet", b"//", read)
