"""The walk along a graph, node by node as it is stored: nothing is merged."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from geolip.errors import UnboundedExecutionError
from geolip.execution.rule import Result, all_rules
from geolip.execution.tensor import Tensor, exact
from geolip.importer.boundary import translated
from geolip.importer.definition import ONNX_DOMAINS, attributes_of, schema_of
from geolip.importer.elements import is_real
from geolip.importer.exactness import roundings
from geolip.importer.interface import Interface, interface_of
from geolip.importer.liveness import live_nodes
from geolip.importer.operation import Operation, label
from geolip.importer.refusals import RefusedError, can_fold
from geolip.linear import identity
from geolip.network import Affine

_FLOAT = np.dtype(np.float32)


def output_of(
    model: ModelProto,
    low: float,
    high: float,
    input_name: str | None = None,
    output_name: str | None = None,
) -> tuple[Tensor, set[str]]:
    """Return what is known of a model's output, and the operators that make it.

    Parameters
    ----------
    model : ModelProto
        With its external data loaded.
    low, high : float
        Between which every coordinate of the input lies.
    input_name, output_name : str, optional
        As for `geolip.importer.load`.

    Raises
    ------
    ModelError
        If the model contradicts itself.
    UnboundedExecutionError
        If the output depends on nodes whose rounding is not bounded; it lists them.
    CertificationError
        If a number may leave float32's range.
    """
    interface = interface_of(model, input_name, output_name)
    walk = _Walk(interface, low, high)
    given = {interface.input_name, *interface.stored}
    for node in live_nodes(interface.nodes, interface.output_name, given):
        walk.read(node)
    output = walk.value(interface.output_name)
    if walk.problems or output is None:
        raise UnboundedExecutionError(walk.problems)
    return _tensor(output), walk.kinds


class _Walk:
    """What is known after the nodes so far; None for what could not be bounded."""

    def __init__(self, interface: Interface, low: float, high: float) -> None:
        self.interface = interface
        self.problems: list[str] = []
        self.kinds: set[str] = set()
        self.values: dict[str, Result | None] = {}
        name, shape = interface.input_name, interface.input_shape
        if interface.input_type != _FLOAT:
            self.problems.append(_wrong_type(f"input {name!r}", interface.input_type))
        ones = np.ones(int(np.prod(shape)))
        self.values[name] = exact(shape, low * ones, high * ones)

    def read(self, node: NodeProto) -> None:
        """Find what is known of a node's outputs."""
        results: list[Result | None] = [None] * len(node.output)
        try:
            inputs = [self.value(name) if name else None for name in node.input]
            pairs = zip(node.input, inputs, strict=True)
            if not any(name and value is None for name, value in pairs):
                with translated(label(node)):
                    results[:] = self.results(node, inputs)
        except RefusedError as error:
            self.problems.append(f"{label(node)}: {error}")
        self.kinds.add(node.op_type)
        for name, result in zip(node.output, results, strict=False):
            if name:
                self.values[name] = result

    def results(self, node: NodeProto, inputs: list[Result | None]) -> list[Result]:
        """Return a node's outputs, or raise what its rule raises."""
        kind = node.op_type
        if node.domain not in ONNX_DOMAINS or kind in self.interface.redefined:
            raise RefusedError("is no operator of ONNX's own")
        schema = schema_of(node, self.interface.opset)
        operation = Operation(
            node=node,
            schema=schema,
            opset=self.interface.opset,
            attributes=attributes_of(node, schema),
            inputs=[
                _coordinates(j, value) if isinstance(value, Tensor) else value
                for j, value in enumerate(inputs)
            ],
            types=[_type(value) for value in inputs],
        )
        tensors = {j: v for j, v in enumerate(inputs) if isinstance(v, Tensor)}
        if not tensors:
            return list(_constants(operation))
        if kind not in all_rules():
            raise RefusedError("how it rounds in float32 is not known")
        return list(all_rules()[kind](operation, tensors))

    def value(self, name: str) -> Result | None:
        """Return what is known of a tensor."""
        if name in self.interface.stored and name not in self.values:
            constant = self.interface.constant(name)
            self.values[name] = constant
            if is_real(constant.dtype) and constant.dtype != _FLOAT:
                self.problems.append(_wrong_type(f"tensor {name!r}", constant.dtype))
                self.values[name] = None
        return self.values[name]


def _constants(operation: Operation) -> list[NDArray[Any]]:
    """Return the outputs of a node that reads constants, if it rounds none."""
    kind, inputs = operation.node.op_type, operation.inputs
    arrays = [value for value in inputs if not isinstance(value, Affine)]
    if not can_fold(kind):
        raise RefusedError("computes constants: export with constants folded")
    results = operation.evaluate(arrays)
    target = operation.attributes.get("to", TensorProto.FLOAT)
    if any(is_real(value.dtype) for value in results) and target != TensorProto.FLOAT:
        raise RefusedError("casts constants to another type than FLOAT")
    if any(value is not None and is_real(value.dtype) for value in arrays):
        # Evaluated in float64; what rounds neither there nor in float32 is exact.
        short = [_short(value) for value in results]
        if roundings(operation, results) or any(value is None for value in short):
            raise RefusedError("rounds constants: export with constants folded")
        results = [value for value in short if value is not None]
    for value in results:
        if is_real(value.dtype) and value.dtype != _FLOAT:
            raise RefusedError(f"holds {value.dtype.name}: expected float32")
    return results


def _short(value: NDArray[Any]) -> NDArray[Any] | None:
    """Return the same numbers as float32, None if it does not hold them."""
    if not is_real(value.dtype):
        return value
    with np.errstate(all="ignore"):
        short = value.astype(_FLOAT)
    return short if np.array_equal(short, value) else None


def _coordinates(block: int, tensor: Tensor) -> Affine:
    """Return a tensor as a block of its own."""
    size = len(tensor.size)
    return Affine({block: identity(size)}, np.zeros(size), tensor.shape)


def _type(value: Result | None) -> np.dtype[Any] | None:
    if value is None:
        return None
    return _FLOAT if isinstance(value, Tensor) else value.dtype


def _tensor(value: Result) -> Tensor:
    """Return a constant as a tensor."""
    if isinstance(value, Tensor):
        return value
    flat = value.astype(np.float64).ravel()
    return exact(value.shape, flat, flat)


def _wrong_type(subject: str, dtype: np.dtype[Any]) -> str:
    return f"{subject} holds {dtype.name}: expected float32"
