"""Real architectures at a size for tests, as PyTorch modules with an input shape.

Every entry of `CERTIFIED` can be certified, every entry of `REFUSED` is refused for the
reason that stands beside it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import convolutional_architectures as convolutional
import dense_architectures as dense
from torch import nn


class Architecture(NamedTuple):
    """How to build a network, the shape of its input.

    A chain consists of linear layers and ReLUs, one after the other.
    """

    build: Callable[[], Any]
    shape: tuple[int, ...]
    chain: bool = False


_ACTIVATIONS: dict[str, Callable[[], Any]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky relu": lambda: nn.LeakyReLU(0.2),
    "prelu": lambda: nn.PReLU(init=0.3),
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": lambda: nn.CELU(0.7),
    "softsign": nn.Softsign,
    "gelu": nn.GELU,
    "gelu tanh": lambda: nn.GELU("tanh"),
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "hardtanh": nn.Hardtanh,
    "hardsigmoid": nn.Hardsigmoid,
    "relu6": nn.ReLU6,
}

CERTIFIED: dict[str, Architecture] = {
    **{
        f"mlp {name}": Architecture(
            dense.mlp(activation), (1, 6), activation is nn.ReLU
        )
        for name, activation in _ACTIVATIONS.items()
    },
    "lenet": Architecture(convolutional.lenet(nn.AvgPool2d, nn.Tanh), (1, 1, 8, 8)),
    "lenet max": Architecture(convolutional.lenet(nn.MaxPool2d, nn.ReLU), (1, 1, 8, 8)),
    "vgg": Architecture(convolutional.vgg, (1, 1, 4, 4), chain=True),
    "resnet": Architecture(convolutional.resnet, (1, 1, 5, 5)),
    "preactivation resnet": Architecture(
        convolutional.preactivation_resnet, (1, 1, 6, 6)
    ),
    "densenet": Architecture(convolutional.densenet, (1, 1, 4, 4)),
    "inception": Architecture(convolutional.inception, (1, 1, 6, 6)),
    "squeezenet": Architecture(convolutional.squeezenet, (1, 1, 7, 7)),
    "mobilenet": Architecture(convolutional.mobilenet, (1, 1, 6, 6)),
    "depthwise separable": Architecture(
        convolutional.depthwise_separable, (1, 2, 5, 5), chain=True
    ),
    "shufflenet": Architecture(convolutional.shufflenet, (1, 1, 7, 7), chain=True),
    "unet": Architecture(convolutional.UNet, (1, 1, 4, 4)),
    "autoencoder": Architecture(convolutional.autoencoder, (1, 1, 4, 4), chain=True),
    "upsampling": Architecture(convolutional.upsampling, (1, 5), chain=True),
    "pixel shuffle": Architecture(
        convolutional.pixel_shuffle, (1, 1, 3, 3), chain=True
    ),
    "temporal": Architecture(convolutional.temporal, (1, 2, 10)),
    "conv1d": Architecture(convolutional.conv1d, (1, 2, 12), chain=True),
    "conv3d": Architecture(convolutional.conv3d, (1, 1, 3, 3, 3), chain=True),
    "max pooling": Architecture(convolutional.max_pooling, (1, 1, 8, 8)),
    "adaptive pooling": Architecture(
        convolutional.adaptive_pooling, (1, 1, 6, 8), chain=True
    ),
    "mixer": Architecture(dense.mixer, (1, 1, 6, 6)),
    "residual mlp": Architecture(dense.residual_mlp, (1, 4)),
    "normalised": Architecture(dense.normalised, (1, 2, 4), chain=True),
    "spectral norm": Architecture(dense.spectral, (1, 1, 6, 6)),
    "weight norm": Architecture(dense.weight_norm, (1, 5), chain=True),
    "group sort": Architecture(dense.group_sort, (1, 6)),
    "orthogonal": Architecture(dense.orthogonal, (1, 6)),
    "convex potential": Architecture(dense.convex_potential, (1, 5)),
    "log-softmax head": Architecture(dense.log_softmax, (1, 4)),
    "softmax head": Architecture(dense.softmax, (1, 4)),
}

REFUSED: dict[str, tuple[Architecture, str]] = {
    "transformer": (Architecture(dense.transformer, (1, 4, 3)), "product of two"),
    "gated": (Architecture(dense.gated, (1, 4)), "product of two"),
    "squared": (Architecture(dense.squared, (1, 4)), "no global Lipschitz"),
    "layer norm": (Architecture(dense.layer_norm, (1, 4)), "LayerNormalization"),
}

RARE = {f"mlp {name}" for name in ("celu", "gelu tanh", "hardsigmoid", "hardtanh")}
RARE |= {f"mlp {name}" for name in ("leaky relu", "relu6", "selu")}
"""Those that differ from others by an activation only, and are left to the long run."""
