"""Files of weights, as the tools of each format write them."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.io

Arrays = Sequence[np.ndarray[Any, np.dtype[Any]]]


def _cell(arrays: Arrays) -> Any:
    cell = np.empty((1, len(arrays)), object)
    cell[0, :] = arrays
    return cell


def mat(weights: Arrays, biases: Arrays, compressed: bool = False) -> bytes:
    file = io.BytesIO()
    held = {"weights": _cell(weights)}
    if biases:
        held["biases"] = _cell([b[:, None] for b in biases])
    scipy.io.savemat(file, held, do_compression=compressed)
    return file.getvalue()


def compressed_mat(weights: Arrays, biases: Arrays) -> bytes:
    return mat(weights, biases, compressed=True)


def numbered_mat(weights: Arrays, biases: Arrays) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, numbered(weights, biases, 1))
    return file.getvalue()


def npz(weights: Arrays, biases: Arrays) -> bytes:
    file = io.BytesIO()
    if biases:
        np.savez(file, **numbered(weights, biases, 1))
    else:
        np.savez(file, *weights)
    return file.getvalue()


def compressed_npz(weights: Arrays, biases: Arrays) -> bytes:
    file = io.BytesIO()
    # In an order that is not the layers'.
    held = dict(reversed(numbered(weights, biases, 0).items()))
    np.savez_compressed(file, **held)
    return file.getvalue()


def numbered(weights: Arrays, biases: Arrays, first: int) -> dict[str, Any]:
    held = {f"W{k}": W for k, W in enumerate(weights, first)}
    return held | {f"b{k}": b for k, b in enumerate(biases, first)}


def nnet(weights: Arrays, biases: Arrays) -> bytes:
    sizes = [weights[0].shape[1], *map(len, weights)]
    inputs = sizes[0]
    heads: list[list[Any]] = [
        [len(weights), inputs, sizes[-1], max(sizes)],
        sizes,
        [0],
        [-1.0] * inputs,
        [1.0] * inputs,
        [0.5] * (inputs + 1),
        [2.0] * (inputs + 1),
    ]
    lines = ["// A network", "// of two lines of comment"]
    lines += [",".join(map(repr, head)) + "," for head in heads]
    for k, W in enumerate(weights):
        lines += [",".join(repr(float(w)) for w in row) + "," for row in W]
        bias = biases[k] if biases else np.zeros(len(W))
        lines += [f"{float(b)!r}," for b in bias]
    return "\n".join(lines).encode() + b"\n"


WRITERS: dict[str, tuple[str, Callable[[Arrays, Arrays], bytes]]] = {
    "mat": (".mat", mat),
    "compressed mat": (".mat", compressed_mat),
    "numbered mat": (".mat", numbered_mat),
    "npz": (".npz", npz),
    "compressed npz": (".npz", compressed_npz),
    "nnet": (".nnet", nnet),
}
"""The ending and the writer of every kind of file."""
