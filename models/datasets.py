"""What the example networks learn: bundled digits, or MNIST from a folder."""

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

_MAGIC_UBYTE = 0x08
"""The third byte of an IDX file whose entries are unsigned bytes."""


class InputError(Exception):
    """What the user gave cannot be used; the message is one line that says why."""


@dataclass(frozen=True)
class Dataset:
    """Labelled images with every pixel in [0, 1], split into training and test.

    Parameters
    ----------
    train_images, test_images : Tensor (count, pixels)
        Single precision, one flattened image per row.
    train_labels, test_labels : Tensor (count,)
        Digits 0 to 9.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @property
    def pixels(self) -> int:
        """The number of pixels of one image."""
        return self.train_images.shape[1]


def load_bundled_digits() -> Dataset:
    """Return the 1797 8x8 digits of scikit-learn, a quarter of them for testing.

    The split does not depend on the training seed, so that networks of different
    seeds can be compared on the same test images.
    """
    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images / 16, labels, test_size=0.25, random_state=0, stratify=labels
    )
    return _dataset(train_images, train_labels, test_images, test_labels)


def load_mnist(folder: Path) -> Dataset:
    """Return MNIST from its four IDX files, each plain or compressed (``.gz``).

    Raises
    ------
    InputError
        If a file is missing, damaged or does not fit the others.
    """
    train_images = _images(folder, "train")
    train_labels = _labels(folder, "train", len(train_images))
    test_images = _images(folder, "t10k")
    test_labels = _labels(folder, "t10k", len(test_images))
    return _dataset(train_images / 255, train_labels, test_images / 255, test_labels)


def _dataset(
    train_images: np.ndarray,
    train_labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
) -> Dataset:
    return Dataset(
        torch.tensor(train_images, dtype=torch.float32),
        torch.tensor(train_labels, dtype=torch.int64),
        torch.tensor(test_images, dtype=torch.float32),
        torch.tensor(test_labels, dtype=torch.int64),
    )


def _images(folder: Path, part: str) -> np.ndarray:
    path = _find(folder, f"{part}-images-idx3-ubyte")
    images = _read_idx(path)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
        raise InputError(f"{path} holds {images.shape}, not (count, 28, 28) images")
    return images.reshape(len(images), -1)


def _labels(folder: Path, part: str, count: int) -> np.ndarray:
    path = _find(folder, f"{part}-labels-idx1-ubyte")
    labels = _read_idx(path)
    if labels.shape != (count,):
        raise InputError(f"{path} holds {labels.shape}, not {count} labels")
    if labels.max() > 9:
        raise InputError(f"{path} holds the label {labels.max()}, not digits 0 to 9")
    return labels


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"{folder} has neither {name} nor {name}.gz")


def _read_idx(path: Path) -> np.ndarray:
    """Return the array of unsigned bytes that an IDX file holds."""
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    # Two zero bytes, the type of the entries, the number of axes; then their lengths.
    if len(data) < 4 or data[:3] != bytes([0, 0, _MAGIC_UBYTE]):
        raise InputError(f"{path} is not an IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    shape = struct.unpack(f">{data[3]}I", data[4:start]) if len(data) >= start else ()
    if not shape or len(data) != start + math.prod(shape):
        raise InputError(f"{path} is truncated, or longer than its header says")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
