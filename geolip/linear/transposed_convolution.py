"""The adjoint of a convolution, as ONNX's ConvTranspose applies it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geolip.arrays import Array
from geolip.linear.convolution import Convolution
from geolip.linear.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class TransposedConvolution(LinearOperator):
    """The map of the transposed matrix of a convolution.

    Parameters
    ----------
    convolution : Convolution
        The map from the outputs back to the inputs.
    """

    convolution: Convolution

    @property
    def shape(self) -> tuple[int, int]:
        m, n = self.convolution.shape
        return n, m

    def apply(self, X: Array) -> Array:
        return self.convolution.adjoint(X)

    def adjoint(self, Y: Array) -> Array:
        return self.convolution.apply(Y)

    def dense(self) -> Array:
        return np.ascontiguousarray(self.convolution.dense().T)

    def entrywise(self, function: Callable[[Array], Array]) -> "TransposedConvolution":
        return TransposedConvolution(self.convolution.entrywise(function))

    @cached_property
    def magnitude(self) -> tuple[float, float]:
        return self.convolution.magnitude

    @property
    def roundings(self) -> int:
        return self.convolution.roundings

    def describe(self) -> str:
        return f"transposed {self.convolution.describe()}"
