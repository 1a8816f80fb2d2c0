"""Convolution as ONNX defines it, in any number of dimensions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from geolip.arrays import Array
from geolip.linear.operator import LinearOperator, magnitude_of


@dataclass(frozen=True, eq=False)
class Convolution(LinearOperator):
    """A zero-padded cross-correlation on a flattened tensor (batch, c_in, *space).

    Parameters
    ----------
    kernel : array (c_out, c_in / groups, *taps)
        The weights as ONNX stores them.
    space : sequence of int
        The input's spatial shape.
    strides, dilations : sequence of int
        One for each spatial dimension.
    pads : sequence of (int, int)
        Zeros before and after, for each spatial dimension.
    groups : int
        Channel groups that do not see each other.
    batch : int
        Independent copies.
    rounded : int
        How many roundings each weight carries already, as of `Sparse`.
    """

    kernel: Array
    space: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    groups: int = 1
    batch: int = 1
    rounded: int = 0
    out_space: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        sizes = zip(
            self.space, self.taps, self.strides, self.dilations, self.pads, strict=True
        )
        object.__setattr__(
            self,
            "out_space",
            tuple(
                (n + before + after - d * (k - 1) - 1) // s + 1
                for n, k, s, d, (before, after) in sizes
            ),
        )

    @property
    def taps(self) -> tuple[int, ...]:
        """The kernel's spatial shape."""
        return self.kernel.shape[2:]

    @property
    def channels(self) -> tuple[int, int]:
        """The numbers (c_out, c_in) of channels."""
        return self.kernel.shape[0], self.kernel.shape[1] * self.groups

    @property
    def shape(self) -> tuple[int, int]:
        c_out, c_in = self.channels
        return (
            self.batch * c_out * prod(self.out_space),
            self.batch * c_in * prod(self.space),
        )

    def apply(self, X: Array) -> Array:
        columns = X.shape[1]
        _, c_in = self.channels
        padded = np.pad(
            X.reshape(self.batch, c_in, *self.space, columns),
            [(0, 0), (0, 0), *self.pads, (0, 0)],
        )
        # The patches, taps first: (batch, group, c_in/group * taps, positions * r).
        patches = np.stack([padded[window] for window in self._windows()], axis=2)
        positions = prod(self.out_space) * columns
        patches = patches.reshape(self.batch, self.groups, self._depth, positions)
        return np.asarray(self._matrices @ patches).reshape(self.shape[0], columns)

    def adjoint(self, Y: Array) -> Array:
        columns = Y.shape[1]
        c_out, c_in = self.channels
        positions = prod(self.out_space) * columns
        outputs = Y.reshape(self.batch, self.groups, c_out // self.groups, positions)
        patches = (self._matrices.transpose(0, 2, 1) @ outputs).reshape(
            self.batch, c_in, prod(self.taps), *self.out_space, columns
        )
        widths = zip(self.space, self.pads, strict=True)
        padded_space = [n + before + after for n, (before, after) in widths]
        padded = np.zeros((self.batch, c_in, *padded_space, columns))
        for tap, window in enumerate(self._windows()):
            padded[window] += patches[:, :, tap]
        inside = zip(self.space, self.pads, strict=True)
        crop = tuple(slice(before, before + n) for n, (before, _) in inside)
        cropped = padded[(slice(None), slice(None), *crop)]
        return cropped.reshape(self.shape[1], columns)

    def _windows(self) -> Sequence[tuple[slice, ...]]:
        """For every tap, the part of the padded input that it reads."""
        axes = [
            [slice(tap * d, tap * d + (n - 1) * s + 1, s) for tap in range(taps)]
            for taps, n, s, d in zip(
                self.taps, self.out_space, self.strides, self.dilations, strict=True
            )
        ]
        return [(slice(None), slice(None), *window) for window in product(*axes)]

    @property
    def _depth(self) -> int:
        return prod(self.kernel.shape[1:])

    @cached_property
    def _matrices(self) -> Array:
        """The kernel as one matrix (c_out/groups, c_in/groups * taps) a group."""
        return self.kernel.reshape(
            self.groups, self.channels[0] // self.groups, self._depth
        )

    @property
    def roundings(self) -> int:
        return self.rounded

    def dense(self) -> Array:
        return self._unrolled

    @cached_property
    def _unrolled(self) -> Array:
        # Every entry is one stored weight or zero: unrolling is exact.
        c_out, c_in = self.channels
        positions = prod(self.out_space)
        indices = np.arange(c_in * prod(self.space)).reshape(1, c_in, *self.space)
        padding = [(0, 0), (0, 0), *self.pads]
        padded = np.pad(indices, padding, constant_values=-1)
        matrix = np.zeros((c_out, positions, indices.size))
        kernel = self.kernel.reshape(*self.kernel.shape[:2], -1)
        for tap, window in enumerate(self._windows()):
            read = padded[window].reshape(c_in, positions)
            for group, outputs in enumerate(np.split(np.arange(c_out), self.groups)):
                for depth in range(kernel.shape[1]):
                    columns = read[group * kernel.shape[1] + depth]
                    (seen,) = np.nonzero(columns >= 0)
                    weights = kernel[outputs, depth, tap]
                    matrix[outputs[:, None], seen, columns[seen]] = weights[:, None]
        unrolled = matrix.reshape(c_out * positions, -1)
        if self.batch == 1:
            return unrolled
        return np.asarray(np.kron(np.eye(self.batch), unrolled), dtype=float)

    def entrywise(self, function: Callable[[Array], Array]) -> "Convolution":
        return replace(self, kernel=function(self.kernel))

    @cached_property
    def magnitude(self) -> tuple[float, float]:
        return magnitude_of(self.kernel)

    def describe(self) -> str:
        c_out, c_in = self.channels
        taps = "x".join(map(str, self.taps))
        strides = "x".join(map(str, self.strides))
        groups = f", {self.groups} groups" if self.groups > 1 else ""
        return f"conv {c_in} -> {c_out} channels, {taps} taps, stride {strides}{groups}"
