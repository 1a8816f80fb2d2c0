"""Convolutional architectures at a size for tests."""

from collections.abc import Callable
from typing import Any

import torch
from architecture_layers import Apply, Branches, Residual, Tensor
from torch import nn


def head(inputs: int) -> tuple[Any, Any]:
    """Return the layers from maps to three classes."""
    return nn.Flatten(), nn.Linear(inputs, 3)


def conv_bn(
    inputs: int, outputs: int, activation: Any = nn.ReLU, **options: Any
) -> Any:
    """Return a convolution with batch normalisation and an activation."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False, **options)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), activation())


def lenet(
    pool: Callable[[int], Any], activation: Callable[[], Any]
) -> Callable[[], Any]:
    def build() -> Any:
        return nn.Sequential(
            *(nn.Conv2d(1, 3, 3), activation(), pool(2)),
            *(nn.Conv2d(3, 4, 2), activation(), pool(2)),
            *(nn.Flatten(), nn.Linear(4, 6), activation(), nn.Linear(6, 3)),
        )

    return build


def vgg() -> Any:
    return nn.Sequential(
        *(conv_bn(1, 3), conv_bn(3, 3), nn.AvgPool2d(2)),
        *(conv_bn(3, 4), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 5), nn.ReLU()),
        *(nn.Dropout(0.5), nn.Linear(5, 3)),
    )


def basic_block(inputs: int, outputs: int, stride: int) -> Any:
    shortcut = None
    if stride > 1 or inputs != outputs:
        shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )
    last = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
    body = (conv_bn(inputs, outputs, stride=stride), last, nn.BatchNorm2d(outputs))
    return nn.Sequential(Residual(*body, shortcut=shortcut), nn.ReLU())


def resnet() -> Any:
    blocks = (basic_block(2, 2, 1), basic_block(2, 3, 2), basic_block(3, 3, 1))
    return nn.Sequential(
        conv_bn(1, 2), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)
    )


def preactivation_resnet() -> Any:
    def block(channels: int) -> Any:
        return Residual(
            *(nn.BatchNorm2d(channels), nn.ReLU()),
            *(nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)),
            *(nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)),
        )

    return nn.Sequential(nn.Conv2d(1, 2, 3), block(2), block(2), *head(32))


def densenet() -> Any:
    def layer(inputs: int, growth: int) -> Any:
        grown = nn.Conv2d(inputs, growth, 3, padding=1, bias=False)
        body = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), grown)
        return Branches(nn.Identity(), body)

    transition = (nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 3, 1), nn.AvgPool2d(2))
    return nn.Sequential(
        *(nn.Conv2d(1, 2, 3, padding=1), layer(2, 2), layer(4, 2)),
        *(*transition, layer(3, 2), *head(20)),
    )


def inception() -> Any:
    branches = (
        nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU()),
        nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()),
        nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(2, 1, 1), nn.ReLU()),
    )
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), Branches(*branches), *head(80))


def squeezenet() -> Any:
    expand = Branches(
        nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU()),
        nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()),
    )
    squeeze = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    last = (nn.Conv2d(4, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(nn.Conv2d(1, 3, 3, 2), nn.ReLU(), squeeze, expand, *last)


def mobilenet() -> Any:
    def inverted(channels: int) -> Any:
        depthwise = conv_bn(4, 4, nn.ReLU6, groups=4)
        grow = (nn.Conv2d(channels, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU6())
        shrink = (nn.Conv2d(4, channels, 1, bias=False), nn.BatchNorm2d(channels))
        return Residual(*grow, depthwise, *shrink)

    first = conv_bn(1, 2, nn.ReLU6, stride=2)
    return nn.Sequential(first, inverted(2), inverted(2), *head(18))


def depthwise_separable() -> Any:
    return nn.Sequential(
        *(conv_bn(2, 2, groups=2), nn.Conv2d(2, 3, 1), nn.ReLU()),
        *(conv_bn(3, 3, groups=3, stride=2), nn.Conv2d(3, 2, 1), nn.ReLU(), *head(18)),
    )


def shufflenet() -> Any:
    def shuffle(x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)

    grouped = (nn.Conv2d(4, 4, 1, groups=2), nn.ReLU(), Apply(shuffle))
    last = (nn.Conv2d(4, 4, 3, groups=4), nn.BatchNorm2d(4), nn.ReLU())
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), *grouped, *last, *head(36))


class UNet(nn.Module):
    """Down once and up again, with a concatenated skip."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
        self.pool = nn.AvgPool2d(2)
        self.bottom = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(3, 2, 2, stride=2)
        self.last = nn.Sequential(
            nn.Conv2d(4, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        skip = self.down(x)
        raised = self.up(self.bottom(self.pool(skip)))
        return self.last(torch.cat([skip, raised], dim=1))


def autoencoder() -> Any:
    return nn.Sequential(
        *(nn.Conv2d(1, 2, 3, 2, 1), nn.ReLU(), nn.Conv2d(2, 3, 3, 2, 1), nn.ReLU()),
        *(nn.ConvTranspose2d(3, 2, 3, 2, 1, output_padding=1), nn.ReLU()),
        nn.ConvTranspose2d(2, 1, 4, 2, 1),
    )


def upsampling() -> Any:
    return nn.Sequential(
        *(nn.Linear(5, 8), nn.ReLU(), nn.Unflatten(1, (2, 2, 2))),
        *(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(2, 2, 3, padding=1)),
        *(nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1)),
    )


def pixel_shuffle() -> Any:
    return nn.Sequential(
        *(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 4, 3, padding=1)),
        nn.PixelShuffle(2),
    )


def temporal() -> Any:
    """Return a temporal convolutional network: causal, dilated, residual."""

    def block(dilation: int) -> Any:
        pad = nn.ConstantPad1d((2 * dilation, 0), 0.0)
        return Residual(pad, nn.Conv1d(2, 2, 3, dilation=dilation), nn.ReLU())

    return nn.Sequential(nn.Conv1d(2, 2, 1), block(1), block(2), *head(20))


def conv1d() -> Any:
    return nn.Sequential(
        *(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.AvgPool1d(2)),
        *(nn.Conv1d(3, 3, 3, stride=2), nn.ReLU(), *head(6)),
    )


def conv3d() -> Any:
    return nn.Sequential(nn.Conv3d(1, 2, 2), nn.ReLU(), nn.AvgPool3d(2), *head(2))


def max_pooling() -> Any:
    return nn.Sequential(
        *(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(18, 5), nn.ReLU(), nn.Linear(5, 2)),
    )


def adaptive_pooling() -> Any:
    pools = (nn.AdaptiveAvgPool2d((2, 3)), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), *pools, nn.Flatten())
