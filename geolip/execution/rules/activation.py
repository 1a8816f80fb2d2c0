"""Scalar activations.

An error e of the argument becomes ``lambda e`` with the steepest slope lambda; to that
comes what computing the function itself is off by.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from geolip.execution.arithmetic import ETA, gamma, length, raised
from geolip.execution.combination import check_range
from geolip.execution.rule import Result, Rule
from geolip.execution.rules.moving import moved
from geolip.execution.tensor import Tensor, stored
from geolip.execution.values import Values, enclosed
from geolip.importer.catalogue import readers
from geolip.importer.operation import Operation
from geolip.network import Block
from geolip.rigor.rounding import up

# By how much a library's function may be off, an assumption that is stated. No library
# promises as much for all processors; ONNX Runtime 1.31 is off by up to 3.0 (Sigmoid)
# and 5.5 (Tanh) times 2^-24 over a sample of 10^8 float32 numbers.
LIBRARY_ERROR = 2.0**-20

# Far more than float64 evaluations are off by, relatively and absolutely.
_EVALUATION = 2.0**-45
_TINY = 2.0**-1000


def _scalar(roundings: int = 0, library: float = 0.0) -> Rule:
    """Return the rule of a function that is rounded so often, or off by so much."""

    def rule(operation: Operation, tensors: Mapping[int, Tensor]) -> Sequence[Result]:
        block = readers()[operation.node.op_type](operation)
        if not isinstance(block, Block):  # of slope 1
            return moved(operation, tensors, exact=False)
        read = tensors[0].settled()
        lower, upper = block.activation.sector(block.size)
        slope = float(np.maximum(np.abs(lower), np.abs(upper)).max(initial=0.0))
        reach = float(read.size.max(initial=0.0))
        check_range(operation, (1 + slope) * reach)
        flushed = 4 * ETA * (1 + slope) * (1 + reach)
        own = raised(gamma(roundings) * slope * read.size + flushed + library, 8)
        error = raised(slope * read.error + own, 4)
        error_length = slope * read.error_length + length(own)
        return [
            stored(
                read.shape,
                _image(block, read.values, slope),
                error,
                up(error_length, 4),
            )
        ]

    return rule


def _image(block: Block, read: Values, slope: float) -> Values:
    """Return where the values lie; functions are monotone on either side of zero."""
    zero = np.clip(0.0, read.lower, read.upper)
    points = np.stack([read.lower, zero, read.upper, read.centre], axis=1)
    values = block.activation.function(points)
    margin = _EVALUATION * np.abs(values) + _TINY
    ends, room = values[:, :3], margin[:, :3]
    return enclosed(
        (ends - room).min(axis=1),
        (ends + room).max(axis=1),
        values[:, 3],
        up(slope * read.spread + length(margin[:, 3]), 4),
    )


OPERATORS: dict[str, Rule] = {
    "LeakyRelu": _scalar(roundings=1),
    "Relu": _scalar(),
    "Sigmoid": _scalar(library=LIBRARY_ERROR),
    "Tanh": _scalar(library=LIBRARY_ERROR),
}
