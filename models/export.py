"""Write trained PyTorch modules as ONNX, one readable node per layer.

PyTorch's own exporter changes names and graphs from release to release; these few
lines give the same bytes for the same parameters.
"""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from architectures import CLASSES, Residual

OPSET = 17
IR_VERSION = 8
INPUT = "input"
LOGITS = "logits"

_OPERATORS: dict[type[nn.Module], str] = {
    nn.Linear: "Gemm",
    nn.Conv2d: "Conv",
    nn.BatchNorm2d: "BatchNormalization",
    nn.ReLU: "Relu",
    nn.Sigmoid: "Sigmoid",
    nn.AdaptiveAvgPool2d: "GlobalAveragePool",
    nn.Flatten: "Flatten",
}
_PARAMETERS = ("weight", "bias", "running_mean", "running_var")
"""Names in PyTorch, in the order in which ONNX expects them."""


def to_onnx(
    network: nn.Module, name: str, input_shape: Sequence[int], description: str
) -> onnx.ModelProto:
    """Return the inference form of a network, checked.

    Parameters
    ----------
    network : Module
        Built from the layers of `architectures`.
    name : str
        The name of the graph.
    input_shape : sequence of int
        The shape of one input; a symbolic axis ``batch`` comes before it.
    description : str
        Goes into the file for people.
    """
    graph = _Graph()
    graph.add(network, "", INPUT)
    graph.nodes[-1].output[0] = LOGITS
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            name,
            [_batch_of(INPUT, input_shape)],
            [_batch_of(LOGITS, [CLASSES])],
            graph.initialisers,
        ),
        doc_string=description,
        producer_name="geolip models/train.py",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """The nodes and parameters collected so far."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def add(self, module: nn.Module, path: str, source: str) -> str:
        """Append a module that reads the tensor `source`; return what it computes."""
        match module:
            case nn.Sequential():
                for name, child in module.named_children():
                    source = self.add(child, f"{path}/{name}".lstrip("/"), source)
                return source
            case Residual():
                body = self.add(module.body, path, source)
                shortcut = self.add(module.shortcut, f"{path}/shortcut", source)
                return self._node("Add", f"{path}/add", [body, shortcut])
            case nn.Identity():
                return source
        operator = _OPERATORS[type(module)]
        sources = [source, *self._parameters(module, path)]
        return self._node(operator, path, sources, **_attributes(module))

    def _node(
        self, operator: str, path: str, sources: Sequence[str], **attributes: Any
    ) -> str:
        """Append one node; its only output has the same name as the node."""
        self.nodes.append(
            helper.make_node(operator, sources, [path], name=path, **attributes)
        )
        return path

    def _parameters(self, module: nn.Module, path: str) -> list[str]:
        """Store the parameters that a module has; return their names."""
        stored = []
        for parameter in _PARAMETERS:
            value = getattr(module, parameter, None)
            if value is not None:
                stored.append(f"{path}/{parameter}")
                self.initialisers.append(
                    numpy_helper.from_array(value.detach().numpy(), stored[-1])
                )
        return stored


def _attributes(module: nn.Module) -> dict[str, Any]:
    match module:
        case nn.Linear():
            return {"transB": 1}
        case nn.Conv2d():
            return {
                "kernel_shape": module.kernel_size,
                "strides": module.stride,
                "pads": [*module.padding, *module.padding],
            }
        case nn.BatchNorm2d():
            return {"epsilon": module.eps}
    return {}


def _batch_of(name: str, shape: Sequence[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
