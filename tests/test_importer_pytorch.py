"""PyTorch modules: what is exported, that they are left alone, what is refused."""

import copy
import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import geolip
from geolip.certificate import Certificate
from geolip.checking import check
from geolip.errors import ModelError, UsageError
from geolip.importer import load

torch = pytest.importorskip("torch")
nn: Any = torch.nn
parametrizations: Any = torch.nn.utils.parametrizations
X = torch.linspace(-1.0, 1.0, 6).reshape(1, 6)


def network() -> Any:
    torch.manual_seed(0)
    layers = (nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    module = nn.Sequential(*layers, nn.Dropout(0.5))
    module[1].running_var.uniform_(0.5, 2.0)
    return module


def assert_computes_like(content: bytes, module: Any, x: Any = X) -> None:
    expected = module.eval()(x).detach().numpy().ravel()
    found = load(content).evaluate(x.numpy().reshape(-1, 1))[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_module_is_exported_in_inference_mode_and_left_alone() -> None:
    module = network().train()
    module[0].eval()
    before = copy.deepcopy(module.state_dict())
    modes = [part.training for part in module.modules()]
    content = geolip.export(module, X)
    assert [part.training for part in module.modules()] == modes
    assert all(bool((before[k] == v).all()) for k, v in module.state_dict().items())
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert geolip.export(module, X) == content
    assert_computes_like(content, module)
    assert str(Path(torch.__file__).parent).encode() not in content


def test_certificate_is_of_the_exported_file(tmp_path: Path) -> None:
    module, path = network(), tmp_path / "model.onnx"
    content = geolip.export(module, X, path)
    assert path.read_bytes() == content
    report = geolip.certify(module, example_input=X, exact=True)
    assert report.trust == "exact"
    assert report.model.sha256 == hashlib.sha256(content).hexdigest()
    assert report.certificate is not None
    report.certificate.save(tmp_path / "proof.json")
    verdict = check(path, Certificate.load(tmp_path / "proof.json"))
    assert verdict.bound == report.bound == geolip.certify(path).bound
    assert verdict.notes == ()


def parametrised(name: str) -> Any:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2))
    for layer in (module[0], module[2]):
        getattr(parametrizations, name)(layer)
    return module


@pytest.mark.parametrize("name", ["orthogonal", "spectral_norm", "weight_norm"])
def test_parametrised_weights_are_stored_as_computed(name: str) -> None:
    module = parametrised(name)
    content = geolip.export(module, X)
    network = load(content)
    assert network.inexact == ()
    # The module is as it was: its class is one that PyTorch makes for it.
    assert torch.nn.utils.parametrize.is_parametrized(module[0])
    assert_computes_like(content, module)
    operator = network.blocks[0].preactivation.terms[0]
    expected = module[0].weight.detach().numpy()
    np.testing.assert_array_equal(operator.dense(), expected.astype(float))


@pytest.mark.parametrize("name", ["spectral_norm", "weight_norm"])
def test_the_older_hooks(name: str) -> None:
    with warnings.catch_warnings(action="ignore"):
        layer = getattr(nn.utils, name)(nn.Linear(6, 4))
    module = nn.Sequential(layer, nn.ReLU())
    module(X)
    content = geolip.export(module, X)
    assert load(content).inexact == ()
    assert_computes_like(content, module)


def test_what_torch_export_does_not_know_goes_by_torchscript() -> None:
    with warnings.catch_warnings(action="ignore"):
        module = torch.jit.script(nn.Sequential(nn.Linear(6, 4), nn.ReLU()))
    content = geolip.export(module, X)
    expected = module(X).detach().numpy()[0]
    found = load(content).evaluate(X.numpy().T)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class Branching(nn.Module):
    def forward(self, x: Any) -> Any:
        return x if x.sum() > 0 else -100 * x


class Eigenvalues(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.linalg.eigvalsh(x.T @ x)


@pytest.mark.parametrize("module", [Branching(), Eigenvalues()])
def test_what_cannot_be_exported(module: Any) -> None:
    with pytest.raises(ModelError) as caught:
        geolip.certify(module, example_input=X)
    message = str(caught.value)
    assert message.startswith(f"{type(module).__name__} cannot be exported as ONNX")
    assert "torch.export: " in message
    assert "TorchScript: " in message
    assert "\n" not in message


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="example_input"):
        geolip.certify(network())
    with pytest.raises(UsageError, match="goes with a torch"):
        geolip.certify([[[1.0]]], example_input=X)
    with pytest.raises(ModelError, match="does not run on the example input"):
        geolip.certify(network(), example_input=X[:, 1:])
    with pytest.raises(UsageError, match="cannot write"):
        geolip.export(network(), X, tmp_path / "nowhere" / "model.onnx")
