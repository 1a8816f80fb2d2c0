"""Fully connected architectures at a size for tests."""

from collections.abc import Callable
from typing import Any

import torch
from architecture_layers import Apply, Residual, Tensor
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations


def mlp(activation: Callable[[], Any]) -> Callable[[], Any]:
    """Return a network of two hidden layers."""

    def build() -> Any:
        return nn.Sequential(
            *(nn.Linear(6, 10), activation(), nn.Linear(10, 8), activation()),
            nn.Linear(8, 3),
        )

    return build


def mixer() -> Any:
    """Return an MLP-Mixer of four patches, without its layer normalisation."""

    def mix(size: int) -> Any:
        return nn.Sequential(nn.Linear(size, 6), nn.GELU(), nn.Linear(6, size))

    def turned(x: Tensor) -> Tensor:
        return x.transpose(1, 2)

    tokens = Residual(Apply(turned), mix(4), Apply(turned))
    patches = (nn.Conv2d(1, 3, 3, 3), nn.Flatten(2), Apply(turned))
    return nn.Sequential(
        *patches, tokens, Residual(mix(3)), Apply(lambda x: x.mean(1)), nn.Linear(3, 3)
    )


def residual_mlp() -> Any:
    def block() -> Any:
        return Residual(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 5))

    return nn.Sequential(nn.Linear(4, 5), block(), block(), nn.ReLU(), nn.Linear(5, 2))


def normalised() -> Any:
    mean, deviation = torch.tensor([[0.13], [0.5]]), torch.tensor([[0.31], [0.25]])
    return nn.Sequential(
        *(Apply(lambda x: (x - mean) / deviation), nn.Flatten(), nn.Linear(8, 6)),
        *(nn.ReLU(), nn.Linear(6, 2)),
    )


def spectral() -> Any:
    norm = parametrizations.spectral_norm
    return nn.Sequential(
        *(norm(nn.Conv2d(1, 2, 3)), nn.LeakyReLU(0.1), nn.Flatten()),
        *(norm(nn.Linear(32, 8)), nn.ReLU(), norm(nn.Linear(8, 2))),
    )


def weight_norm() -> Any:
    norm = parametrizations.weight_norm
    return nn.Sequential(norm(nn.Linear(5, 8)), nn.ReLU(), norm(nn.Linear(8, 2)))


def max_min(x: Tensor) -> Tensor:
    """Return GroupSort with groups of two, as it is usually written."""
    low, high = x.chunk(2, dim=1)
    return torch.cat([torch.minimum(low, high), torch.maximum(low, high)], dim=1)


def group_sort() -> Any:
    orthogonal = parametrizations.orthogonal
    return nn.Sequential(
        *(orthogonal(nn.Linear(6, 6)), Apply(max_min)),
        *(orthogonal(nn.Linear(6, 6)), Apply(max_min), nn.Linear(6, 1)),
    )


def orthogonal() -> Any:
    layer = parametrizations.orthogonal
    return nn.Sequential(
        *(layer(nn.Linear(6, 6), orthogonal_map="householder"), nn.ReLU()),
        *(layer(nn.Linear(6, 6), orthogonal_map="cayley"), Apply(torch.abs)),
        layer(nn.Linear(6, 2)),
    )


class Sandwich(nn.Module):
    """The residual layer ``x - 2 W' relu(W x + b) / |W|^2``, of constant one."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, size)
        weight = self.linear.weight.data
        self.register_buffer("scale", 2 / torch.linalg.matrix_norm(weight, 2) ** 2)

    def forward(self, x: Tensor) -> Tensor:
        moved = functional.relu(self.linear(x)) @ self.linear.weight
        return x - self.scale * moved


def convex_potential() -> Any:
    return nn.Sequential(Sandwich(5), Sandwich(5), Sandwich(5), nn.Linear(5, 2))


def log_softmax() -> Any:
    return nn.Sequential(
        nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3), nn.LogSoftmax(dim=1)
    )


def softmax() -> Any:
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3), nn.Softmax(dim=1))


class SelfAttention(nn.Module):
    """One head of attention."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size, size) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.query(x) @ self.key(x).transpose(1, 2)
        return scores.softmax(-1) @ self.value(x)


def transformer() -> Any:
    feed_forward = Residual(
        nn.LayerNorm(3), nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 3)
    )
    return nn.Sequential(Residual(SelfAttention(3)), feed_forward)


def gated() -> Any:
    return nn.Sequential(nn.Linear(4, 6), nn.GLU(), nn.Linear(3, 2))


def squared() -> Any:
    return nn.Sequential(nn.Linear(4, 3), Apply(torch.square), nn.Linear(3, 1))


def layer_norm() -> Any:
    return nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.ReLU(), nn.Linear(4, 2))
