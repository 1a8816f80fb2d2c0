"""How far folded constants may be off: a certificate is about the model's own numbers.

Constants are folded in float64. Moving and widening numbers is exact, and so are many
sums and products of float32 numbers; other arithmetic rounds. A count of k says that an
entry is the real number but for k roundings, which operators then carry along; where
entries may cancel, and where numbers are compared, there may be no count.

Source: Higham, Accuracy and Stability of Numerical Algorithms, sections 3.1 and 3.3.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array, is_short, least_size
from geolip.importer.elements import from_code, is_real, real, widens
from geolip.importer.operation import Operation

UNKNOWN = math.inf
# Counts up to here leave errors small.
_MOST = 2**20
# Results of smaller size may have lost digits to underflow.
_SMALL, _LEAST = 2.0**-400, 2.0**-900

_NAMES = """
    Abs CastLike CenterCropPad Clip Concat Constant ConstantOfShape DepthToSpace Expand
    EyeLike Flatten Gather GatherElements GatherND Identity Max Min Neg OneHot Pad Relu
    Reshape ReverseSequence Scatter ScatterElements ScatterND Slice SpaceToDepth Split
    Squeeze Tile Transpose Trilu Unsqueeze Where"""
_MOVING = frozenset(_NAMES.split())
_NAMES = """
    Cast Ceil Compress Equal Floor Greater GreaterOrEqual Less LessOrEqual Not Round
    Shape Sign Size TopK"""
_COMPARING = frozenset(_NAMES.split())
# Sums of products of entries; on absolute entries, the sums of their sizes.
_NAMES = "Add MatMul ReduceL1 ReduceMean ReduceSum ReduceSumSquare Sub Sum"
_SUMMING = frozenset(_NAMES.split())

# Operators of which some inputs end up in biases, on which no bound rests.
_ADDITIVE = frozenset(("Add", "Concat", "Max", "Mean", "Min", "Sub", "Sum"))
_WITH_BIAS = {"Conv": 2, "ConvTranspose": 2, "Gemm": 2}
# Operators whose readers carry along how far their factors are off.
_NAMES = "Conv ConvTranspose Div Einsum Gemm MatMul Mul"
_CARRYING = frozenset(_NAMES.split())


def factors_known(operation: Operation) -> bool:
    """Return whether no bound rests on a constant that is off by more than counted."""
    kind = operation.node.op_type
    if kind in _ADDITIVE:
        return True
    factors = operation.roundings[: _WITH_BIAS.get(kind)]
    worst = max(factors, default=0)
    return worst == 0 or (kind in _CARRYING and worst < UNKNOWN)


def roundings(operation: Operation, outputs: Sequence[NDArray[Any]]) -> float:
    """Return by how many roundings folded constants may be off, at the most.

    Parameters
    ----------
    operation : Operation
        Of constants.
    outputs : sequence of array
        What was made of them in float64.

    Returns
    -------
    float
        A whole number, or `UNKNOWN`.
    """
    kind, given = operation.node.op_type, max(operation.roundings, default=0)
    adds = operation.attributes.get("reduction", "none") != "none"
    if (kind in _MOVING and not adds) or (kind == "Cast" and _widens(operation)):
        return given
    numbers = [v for v in operation.inputs if isinstance(v, np.ndarray)]
    reals = [real(value) for value in numbers if is_real(value.dtype)]
    if kind in _COMPARING or not any(is_real(value.dtype) for value in outputs):
        return UNKNOWN if given or (kind not in _COMPARING and reals) else 0
    if kind == "DequantizeLinear" and not given and _is_short_code(operation):
        return 0
    # Products of two larger ones, and their squares, lose nothing to underflow. Written
    # so that what is beside NaN is not counted.
    if not all(least_size(value) >= _SMALL for value in reals):
        return UNKNOWN
    with np.errstate(all="ignore"):
        found = _counted(operation, reals, outputs[0].astype(float))
    return found if found <= _MOST else UNKNOWN


def _widens(operation: Operation) -> bool:
    source = operation.types[0]
    return source is not None and widens(source, from_code(operation.attributes["to"]))


def _is_short_code(operation: Operation) -> bool:
    """Return whether codes of 16 bits are multiplied with scales of 24, exactly."""
    codes, scales = operation.inputs[:2]
    return (
        isinstance(codes, np.ndarray)
        and isinstance(scales, np.ndarray)
        and codes.dtype.itemsize <= 2
        and is_short(real(scales))
        and not operation.attributes.get("output_dtype", 0)
    )


def _counted(operation: Operation, inputs: Sequence[Array], output: Array) -> float:
    kind, counts = operation.node.op_type, operation.roundings
    if not any(counts) and _is_exact(kind, inputs):
        return 0
    match kind, inputs:
        case "Mul", [left, right] if _is_normal(output, left, right):
            return sum(counts) + 1
        case "Div", [dividend, _] if _is_normal(output, dividend):
            return sum(counts) + 1
        case "Sqrt" | "Reciprocal", [argument] if _is_normal(output, argument):
            return counts[0] + 1
        case "Pow", [base, exponent] if _is_normal(output, base):
            square = (exponent == 2).all() and (output == base * base).all()
            return 2 * counts[0] + 1 if square and not counts[1] else UNKNOWN
        case "ReduceL2", [argument] if _is_normal(output):
            return counts[0] + argument.size + 2
    return _counted_sum(operation, inputs, output) if kind in _SUMMING else UNKNOWN


def _counted_sum(operation: Operation, inputs: Sequence[Array], output: Array) -> float:
    """Count the roundings of sums, more where terms cancel."""
    kind = operation.node.op_type
    arrays = [v if isinstance(v, np.ndarray) else None for v in operation.inputs]
    # What is subtracted adds to the size.
    signs = [-1.0 if kind == "Sub" and place else 1.0 for place in range(len(arrays))]
    sizes = [
        sign * abs(real(value)) if value is not None and is_real(value.dtype) else value
        for sign, value in zip(signs, arrays, strict=True)
    ]
    size = operation.evaluate(sizes)[0]
    if kind == "MatMul":
        terms = inputs[0].shape[-1]
    else:
        terms = max(len(inputs), inputs[0].size // max(output.size, 1))
    if not (_is_normal(output, size) and size.size):
        return UNKNOWN
    share = np.divide(size, abs(output), out=np.ones_like(size), where=size != 0)
    each = 2 * sum(operation.roundings) + terms + 2
    return float(np.ceil(1.001 * each * share.max()))


def _is_normal(output: Array, *factors: Array) -> bool:
    """Return whether all is finite, and zero or small only where a factor is zero."""
    whole = np.ones(output.shape, dtype=bool)
    for factor in factors:
        whole &= factor != 0
    return bool((abs(output[whole]) >= _LEAST).all() and np.isfinite(output).all())


def _is_exact(kind: str, inputs: Sequence[Array]) -> bool:
    match kind, inputs:
        case "Add", [left, right]:
            return _sums_exactly(left, right)
        case "Sub", [left, right]:
            return _sums_exactly(left, -right)
        case "Mul", [left, right]:
            return is_short(left) and is_short(right)
    return False


def _sums_exactly(left: Array, right: Array) -> bool:
    """Return whether no sum is rounded; Knuth's error of a sum is itself exact."""
    total = left + right
    other = total - left
    error = (left - (total - other)) + (right - other)
    return bool((error == 0).all())
