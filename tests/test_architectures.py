"""Real architectures from PyTorch: both exporters, values, gradients, other ways."""

import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto

import geolip
from geolip.errors import UnsupportedModelError
from geolip.importer import load
from geolip.importer.pytorch import EXPORTERS, frozen

torch = pytest.importorskip("torch")
from architectures import CERTIFIED, RARE, REFUSED  # noqa: E402 - they need torch

nn: Any = torch.nn

SAMPLES = 200
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name in RARE else name
    for name in CERTIFIED
]
# Exporters round where they fold, in float32: the exported network is another one.
ROUNDING = 1 + 1e-5

NORMS: dict[str, Any] = {"inf": np.inf, "2": 2}


@cache
def trained(name: str) -> Any:
    """Return a network with weights and statistics that are not the initial ones."""
    torch.manual_seed(len(name))
    table = CERTIFIED if name in CERTIFIED else {k: a for k, (a, _) in REFUSED.items()}
    module = table[name].build()
    for part in module.modules():
        if getattr(part, "running_var", None) is not None:
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
    return module.eval(), torch.randn(table[name].shape)


@cache
def exported(name: str, exporter: str) -> bytes:
    module, x = trained(name)
    content: bytes = EXPORTERS[exporter](frozen(module), (x,))
    return content


@cache
def bound(name: str, norm: str) -> float:
    content = exported(name, "torch.export")
    report = geolip.certify(content, norm)
    assert report.certificate is not None
    return float(report.bound)


def points(name: str, seed: int) -> Any:
    _, x = trained(name)
    generator = torch.Generator().manual_seed(seed)
    shape = (SAMPLES, *x.shape[1:])
    sizes = torch.logspace(-1, 1, SAMPLES, dtype=torch.float64)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    return noise * sizes.reshape(-1, *[1] * (len(shape) - 1))


def precise(name: str) -> Any:
    """Return the module in float64 as a function of many inputs."""
    module, _ = trained(name)
    double = deepcopy(module).double()
    return lambda X: double(X).flatten(1)


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", NAMES)
def test_values(name: str, exporter: str) -> None:
    network = load(exported(name, exporter))
    X = points(name, 0)
    with torch.no_grad():
        expected = precise(name)(X).numpy()
    found = network.evaluate(X.reshape(SAMPLES, -1).numpy().T).T
    sizes = np.maximum(np.abs(expected).max(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(found / sizes, expected / sizes, rtol=0, atol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NAMES)
def test_gradients(name: str, norm: str) -> None:
    function = precise(name)

    def sums(X: Any) -> Any:
        return function(X).sum(0)

    gradients = torch.autograd.functional.jacobian(sums, points(name, 1))
    matrices = gradients.flatten(2).transpose(0, 1).numpy()
    largest = max(np.linalg.norm(J, NORMS[norm]) for J in matrices)
    assert 0 < largest <= bound(name, norm) * ROUNDING


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NAMES)
def test_secants(name: str, norm: str) -> None:
    function, X = precise(name), points(name, 2)
    Y = X + points(name, 3).flip(0)
    with torch.no_grad():
        moved = (function(Y) - function(X)).numpy()
    steps = (Y - X).flatten(1).numpy()
    order = NORMS[norm]
    slopes = [
        np.linalg.norm(u, order) / np.linalg.norm(v, order)
        for u, v in zip(moved, steps, strict=True)
    ]
    assert 0 < max(slopes) <= bound(name, norm) * ROUNDING


CHAINS = [name for name, architecture in CERTIFIED.items() if architecture.chain]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", CHAINS)
def test_chains_as_matrices(name: str, norm: str) -> None:
    """What stands between two activations is one matrix, found without geolip."""
    module, x = trained(name)
    stages: list[list[Any]] = [[]]
    for layer in leaves(deepcopy(module).double()):
        stages.append([]) if isinstance(layer, nn.ReLU) else stages[-1].append(layer)
    matrices = []
    x = torch.zeros(x.shape, dtype=torch.float64)
    for stage in stages:
        linear = nn.Sequential(*stage)
        y = linear(x).detach()
        J = torch.autograd.functional.jacobian(linear, x)
        matrices.append(J.reshape(y.numel(), x.numel()).numpy())
        x = torch.zeros_like(y)
    by_hand = geolip.certify(matrices, norm)
    assert bound(name, norm) == pytest.approx(by_hand.bound, rel=3e-4)


def leaves(module: Any) -> list[Any]:
    if isinstance(module, nn.Sequential):
        return [leaf for child in module for leaf in leaves(child)]
    return [module]


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str, exporter: str) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        load(exported(name, exporter))
    _, reason = REFUSED[name]
    assert any(re.search(reason, problem) for problem in caught.value.problems)


@pytest.mark.parametrize("name", ["softmax head", "log-softmax head"])
def test_a_head_is_cut_off(name: str) -> None:
    content = exported(name, "torch.export")
    logits = ModelProto.FromString(content).graph.node[-1].input[0]
    report = geolip.certify(content, output_name=logits)
    body = trained(name)[0][:-1]
    X = points(name, 0)
    with torch.no_grad():
        expected = deepcopy(body).double()(X).numpy()
    found = load(content, output_name=logits).evaluate(X.numpy().T).T
    np.testing.assert_allclose(found, expected, atol=1e-5)
    (matrix, *_), (last, _) = (layer.parameters() for layer in (body[0], body[2]))
    product = (last.abs() @ matrix.abs()).sum(1).max().item()
    assert 0 < report.bound <= product * ROUNDING


def test_softplus_is_exported_with_a_jump_by_one_exporter() -> None:
    """It is the identity above 20, from which it differs by 2e-9 there."""
    module, x = nn.Sequential(nn.Linear(3, 2), nn.Softplus()), torch.zeros(1, 3)
    by = {name: export(frozen(module), (x,)) for name, export in EXPORTERS.items()}
    with pytest.raises(UnsupportedModelError, match="Greater"):
        load(by["torch.export"])
    assert load(by["TorchScript"]).neurons == 2


class Elementwise(nn.Module):
    """A function of a tensor as a module."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x)


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.where(x > 0, x, 0.1 * x),
        lambda x: torch.where(x < 0, -x, x),
        lambda x: x * (x > 0),
        lambda x: x * torch.sign(x),
        nn.Softshrink(0.25),
        nn.Threshold(0.0, 0.0),
    ],
)
def test_activations_that_are_exported_as_comparisons(function, exporter) -> None:
    module, x = Elementwise(function), torch.linspace(-2, 2, 9)[None]
    network = load(EXPORTERS[exporter](frozen(module), (x,)))
    found = network.evaluate(x.numpy().T).T
    np.testing.assert_allclose(found, function(x).numpy(), atol=1e-6)
