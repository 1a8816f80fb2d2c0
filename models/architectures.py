"""The architectures of the example networks, as PyTorch modules.

Names of modules become names of ONNX nodes, hence the ordered dictionaries.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

CLASSES = 10


@dataclass(frozen=True)
class Architecture:
    """What to build, and how to say it in a table.

    Parameters
    ----------
    summary : str
        A line for people.
    input_shape : tuple of int
        The shape of one input, without the batch axis.
    build : callable
        Returns the network with fresh random parameters.
    """

    summary: str
    input_shape: tuple[int, ...]
    build: Callable[[], nn.Module]


class Residual(nn.Module):
    """The sum of two branches that read the same input.

    Parameters
    ----------
    body : Module
        The branch that learns.
    shortcut : Module
        The identity, or whatever brings the input to the shape of the body's output.
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, inputs: Tensor) -> Tensor:
        """Return ``body(inputs) + shortcut(inputs)``."""
        total: Tensor = self.body(inputs) + self.shortcut(inputs)
        return total


def dense(
    inputs: int, hidden: Sequence[int], activation: type[nn.Module] = nn.ReLU
) -> Architecture:
    """Return the fully connected architecture with the given hidden widths."""
    widths = [inputs, *hidden, CLASSES]

    def build() -> nn.Module:
        layers: dict[str, nn.Module] = {}
        for number, (before, after) in enumerate(pairwise(widths), start=1):
            layers[f"dense{number}"] = nn.Linear(before, after)
            layers[f"{activation.__name__.lower()}{number}"] = activation()
        layers.popitem()  # the logits are affine
        return _chain(layers)

    summary = f"{'-'.join(map(str, widths))} {activation.__name__}"
    return Architecture(summary, (inputs,), build)


def convolutional() -> Architecture:
    """Return two strided convolutions and two dense layers."""

    def build() -> nn.Module:
        return _chain(
            {
                "conv1": nn.Conv2d(1, 8, 4, stride=2, padding=1),
                "relu1": nn.ReLU(),
                "conv2": nn.Conv2d(8, 16, 3, stride=2, padding=1),
                "relu2": nn.ReLU(),
                "flatten": nn.Flatten(),
                "dense1": nn.Linear(64, 32),
                "relu3": nn.ReLU(),
                "dense2": nn.Linear(32, CLASSES),
            }
        )

    summary = "conv 8@4x4/2, conv 16@3x3/2, dense 32-10, ReLU"
    return Architecture(summary, (1, 8, 8), build)


def residual() -> Architecture:
    """Return a strided stem, two residual blocks and an average over the image."""

    def build() -> nn.Module:
        return _chain(
            {
                "stem_conv": _convolution(1, 8, stride=2),
                "stem_norm": nn.BatchNorm2d(8),
                "stem_relu": nn.ReLU(),
                "block1": Residual(_body(8, 8, stride=1), nn.Identity()),
                "block1_relu": nn.ReLU(),
                "block2": Residual(
                    _body(8, 16, stride=2),
                    _chain(
                        {
                            "conv": nn.Conv2d(8, 16, 1, stride=2, bias=False),
                            "norm": nn.BatchNorm2d(16),
                        }
                    ),
                ),
                "block2_relu": nn.ReLU(),
                "pool": nn.AdaptiveAvgPool2d(1),
                "flatten": nn.Flatten(),
                "dense": nn.Linear(16, CLASSES),
            }
        )

    summary = "conv 8@3x3/2, residual 8, residual 16/2, average, dense 10, ReLU"
    return Architecture(summary, (1, 8, 8), build)


def count_neurons(network: nn.Module, input_shape: Sequence[int]) -> int:
    """Return how many scalar activations one input passes through."""
    sizes: list[int] = []

    def record(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        sizes.append(output.numel())

    hooks = [
        module.register_forward_hook(record)
        for module in network.modules()
        if isinstance(module, nn.ReLU | nn.Sigmoid)
    ]
    with torch.no_grad():
        network(torch.zeros(1, *input_shape))
    for hook in hooks:
        hook.remove()
    return sum(sizes)


def _body(before: int, after: int, stride: int) -> nn.Module:
    return _chain(
        {
            "conv1": _convolution(before, after, stride),
            "norm1": nn.BatchNorm2d(after),
            "relu1": nn.ReLU(),
            "conv2": _convolution(after, after, stride=1),
            "norm2": nn.BatchNorm2d(after),
        }
    )


def _convolution(before: int, after: int, stride: int) -> nn.Conv2d:
    # No bias: the batch normalisation behind it has one.
    return nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)


def _chain(layers: Mapping[str, nn.Module]) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))
