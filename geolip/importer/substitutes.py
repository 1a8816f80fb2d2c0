"""Operators of which ONNX's reference implementation is too lenient or wrong.

Found by comparing it with ONNX's text, and by changing models at random: it takes an
index modulo the length of the axis, subtracting the length up to 2^62 times; gathers
along an axis of more than 64 entries something else; inserts axes one after the other
where old versions list them in any order; leaves out what a split does not name; and
computes entries of one-hot tensors as ``y (on - off) + off``.

Source: ONNX, docs/Operators.md.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from geolip.importer.growth import check_fits
from geolip.importer.stored import constant_of

_Arrays = Sequence[NDArray[Any] | None]
Substitute = Callable[[NodeProto, Any], Sequence[NDArray[Any]]]


def _constant(node: NodeProto, _: _Arrays) -> Sequence[NDArray[Any]]:
    return [constant_of(node)]


def _gather_elements(node: NodeProto, inputs: Any) -> Sequence[NDArray[Any]]:
    data, indices = inputs
    axis = _attribute(node, "axis", 0)
    if data.ndim != indices.ndim or not -data.ndim <= axis < data.ndim:
        raise ValueError(
            f"indices of shape {indices.shape} do not fit shape {data.shape}"
        )
    axis %= data.ndim
    size = data.shape[axis]
    if ((indices < -size) | (indices >= size)).any():
        raise ValueError(f"an index is outside of an axis of {size} entries")
    # Along the other axes there may be fewer indices than entries, which they are of.
    fewer = [slice(n) for n in indices.shape]
    fewer[axis] = slice(None)
    part = data[tuple(fewer)]
    if part.shape != (*indices.shape[:axis], size, *indices.shape[axis + 1 :]):
        raise ValueError(
            f"indices of shape {indices.shape} do not fit shape {data.shape}"
        )
    return [np.take_along_axis(part, indices, axis)]


def _unsqueeze(node: NodeProto, inputs: Any) -> Sequence[NDArray[Any]]:
    return [np.expand_dims(inputs[0], _axes(node, inputs))]


def _squeeze(node: NodeProto, inputs: Any) -> Sequence[NDArray[Any]]:
    return [np.squeeze(inputs[0], _axes(node, inputs) or None)]


def _split(node: NodeProto, inputs: Any) -> Sequence[NDArray[Any]]:
    data, parts = inputs[0], len(node.output)
    size = data.shape[_attribute(node, "axis", 0)]
    given = inputs[1] if len(inputs) > 1 else None
    sizes = _attribute(node, "split", []) if given is None else given.tolist()
    if not sizes:
        # The last one may be smaller, since opset 18.
        each = -(-size // parts)
        sizes = [each] * (parts - 1) + [size - each * (parts - 1)]
    if len(sizes) != parts or min(sizes) < 0 or sum(sizes) != size:
        raise ValueError(
            f"{parts} parts of sizes {sizes} do not make up {size} entries"
        )
    return np.split(data, np.cumsum(sizes)[:-1], _attribute(node, "axis", 0))


def _one_hot(node: NodeProto, inputs: Any) -> Sequence[NDArray[Any]]:
    indices, depth, values = inputs
    (count,) = depth.ravel().tolist()
    count, axis = int(count), _attribute(node, "axis", -1)
    rank = indices.ndim + 1
    if values.shape != (2,) or not -rank <= axis < rank or count < 0:
        raise ValueError("its values, axis or depth are not possible")
    axis %= rank
    check_fits([*indices.shape, count])
    chosen = np.where(indices < 0, indices + count, indices)
    places = np.arange(count).reshape(-1, *(1,) * (rank - 1 - axis))
    return [np.where(np.expand_dims(chosen, axis) == places, values[1], values[0])]


def _axes(node: NodeProto, inputs: Any) -> tuple[int, ...]:
    """Return axes from an attribute, as in old versions, or an input."""
    if len(inputs) > 1 and inputs[1] is not None:
        return tuple(inputs[1].ravel().tolist())
    return tuple(_attribute(node, "axes", ()))


def _attribute(node: NodeProto, name: str, default: Any) -> Any:
    for attribute in node.attribute:
        if attribute.name == name:
            return helper.get_attribute_value(attribute)
    return default


SUBSTITUTES: Mapping[str, Substitute] = {
    "Constant": _constant,
    "GatherElements": _gather_elements,
    "OneHot": _one_hot,
    "Split": _split,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
}
