"""Networks that end in a softmax or its logarithm."""

from dataclasses import replace

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import build, node, weights
from onnx import ModelProto
from oracles import ORDERS, PAIRS

import geolip
from geolip import norms
from geolip.checking import check
from geolip.errors import RefusedCertificateError, UnsupportedModelError, UsageError
from geolip.importer import load

kinds = pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])


def classifier(kind: str, classes: int = 3) -> ModelProto:
    nodes = [
        node("Gemm", ["x", "v"], ["h"]),
        node("Relu", ["h"], ["r"]),
        node("MatMul", ["r", "w"], ["z"]),
        node(kind, ["z"], ["y"], axis=-1),
    ]
    return build(nodes, [1, 4], {"v": weights(0, 4, 6), "w": weights(1, 6, classes)})


@kinds
@pytest.mark.parametrize("opset", [7, 12, 13, 17])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_values_are_those_of_onnxruntime(kind, opset, axis):
    axis = axis % 3 if opset < 11 else axis
    model = build([node(kind, ["x"], ["y"], axis=axis)], [2, 3, 4], opset=opset)
    assert_like_onnxruntime(model, [2, 3, 4])


@kinds
@pytest.mark.parametrize("norm", PAIRS)
def test_bounds_hold_for_what_is_read_last(kind, norm):
    model, pair = classifier(kind), norms.parse(norm)
    report = geolip.certify(model, norm=norm, exact=True)
    assert report.trust == "exact"
    assert report.lower_bound == 0
    assert any(f"what {kind} reads" in note for note in report.notes)
    network, random = load(model), np.random.default_rng(0)
    largest = 0.0
    for size in (0.01, 0.1, 1.0, 10.0):
        x = size * random.standard_normal((4, 2000))
        step = 1e-4 * size * pair.input.aligned(random.standard_normal(x.shape))
        moved = network.evaluate(x + step) - network.evaluate(x)
        ratios = pair.output.of(moved) / pair.input.of(step)
        largest = max(largest, ratios.max())
    assert report.bound / 20 < largest <= report.bound


@kinds
@pytest.mark.parametrize("norm", ORDERS)
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_constants_are_attained_or_approached(kind, norm, classes):
    """Where the Jacobian is largest: one half each, or all but one impossible."""
    model = build([node(kind, ["x"], ["y"], axis=-1)], [1, classes])
    constant = load(model).head.constants[norm]
    z = np.full(classes, -40.0)
    z[: 2 if kind == "Softmax" else 1] = 0.0
    p = np.exp(z) / np.exp(z).sum()
    jacobian = np.diag(p) - np.outer(p, p)
    if kind == "LogSoftmax":
        jacobian = np.eye(classes) - p[None, :]
    norm_there = np.linalg.norm(jacobian, ORDERS[norm])
    assert norm_there <= constant + 1e-12
    assert norm_there == pytest.approx(constant, rel=1e-9, abs=1e-12)


@kinds
def test_it_has_to_be_last(kind):
    nodes = [node(kind, ["x"], ["s"]), node("Relu", ["s"], ["y"])]
    with pytest.raises(UnsupportedModelError, match="has to be last"):
        load(build(nodes, [1, 3]))


def test_rows_are_all_or_none():
    model = classifier("Softmax")
    with pytest.raises(UsageError, match="mixes outputs"):
        geolip.certify(model, rows=[0])
    certificate = geolip.certify(model, rows="all").certificate
    check(model, certificate)
    with pytest.raises(RefusedCertificateError, match="mixes outputs"):
        check(model, replace(certificate, proofs=certificate.proofs[:2]))
    # Without the softmax, the same proofs prove only half of what is read.
    bare = load(model).without_head(norms.parse("inf").output)
    assert geolip.certify(model).bound == pytest.approx(certificate.bound, rel=1e-2)
    assert bare.output.shape == (1, 3)


def test_a_single_class_does_not_move():
    assert geolip.certify(classifier("Softmax", 1), exact=True).bound == 0
