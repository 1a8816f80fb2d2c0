"""Executions in float32 that nothing is said about, and what the message names."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from float_graphs import Constants, dense, float32, model_of, node
from onnx import NodeProto, TensorProto

import geolip
import geolip.certification
from geolip.errors import (
    CertificationError,
    ModelError,
    UnboundedExecutionError,
    UnsupportedModelError,
    UsageError,
)
from geolip.execution import forward_error, statement
from geolip.execution.arithmetic import raised
from geolip.execution.rule import all_rules
from geolip.execution.tensor import stored
from geolip.execution.values import boxed
from geolip.importer.catalogue import readers


@pytest.mark.parametrize(
    "region",
    [
        *((1, 0), (np.nan, 1), (0, np.inf), (0, 1e39), (0, 10**400), (-(10**5000), 0)),
        *((1,), (0, 1, 2), ("0", 1), 1, "01"),
    ],
)
def test_no_region(region: Any) -> None:
    with pytest.raises(UsageError, match="region"):
        forward_error(dense((np.ones((1, 1)), np.ones(1))), region)


def test_division_by_zero() -> None:
    model = model_of([node("Div", "x c", "y")], {"c": float32(0)}, (1,))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plain = np.errstate(all="warn")
        with plain, pytest.raises(ModelError, match=r"Div 'y'.*infinite"):
            forward_error(model, (0, 1))
    assert not caught


def test_what_is_no_number_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert np.isnan(raised(np.array([np.nan, 0.0]), 1)).tolist() == [True, False]
    values = boxed(np.zeros(1), np.ones(1))
    unknown = stored((1,), values, np.array([np.nan]), np.nan)
    monkeypatch.setattr(statement, "output_of", lambda *_: (unknown, set()))
    with pytest.raises(CertificationError, match="range"):
        forward_error(dense((np.ones((1, 1)), np.ones(1))), (0, 1))


def test_no_graph() -> None:
    with pytest.raises(UsageError, match="ONNX"):
        geolip.certify([np.ones((1, 1))], float_exec=(0, 1))


def refusal(nodes: Sequence[NodeProto], constants: Constants, **options: Any) -> str:
    with pytest.raises(UnboundedExecutionError) as caught:
        forward_error(model_of(nodes, constants, (1, 2, 4, 4), **options), (0, 1))
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_operators_without_a_rule() -> None:
    text = refusal(
        [
            node("MaxPool", "x", "h", kernel_shape=[2, 2]),
            node("Relu", "h", "i"),
            node("Softplus", "x", "j"),
            node("ReduceSum", "j", "k"),
            node("Add", "i k", "y"),
        ],
        {},
    )
    assert "MaxPool 'h'" in text
    assert "Softplus 'j'" in text
    assert "Relu" not in text


def test_composites_without_a_rule() -> None:
    """What is certified as one activation runs node by node."""
    nodes = [node("Sigmoid", "x", "s"), node("Mul", "x s", "y")]
    assert "Mul 'y': how products of activations round" in refusal(nodes, {})
    nodes = [node("Erf", "x", "e"), node("Add", "e c", "y")]
    assert "Erf 'e': how it rounds" in refusal(nodes, {"c": float32(1)})


def test_other_formats() -> None:
    assert "input 'x' holds float64" in refusal(
        [node("Relu", "x", "y")], {}, dtype=TensorProto.DOUBLE
    )
    half = {"w": np.float16([2])}
    cast = node("Cast", "w", "v", to=TensorProto.FLOAT)
    assert "'w' holds float16" in refusal([cast, node("Mul", "x v", "y")], half)
    wide = [node("Cast", "x", "h", to=TensorProto.DOUBLE), node("Relu", "h", "y")]
    assert "Cast 'h'" in refusal(wide, {})


def test_constants_that_the_graph_rounds() -> None:
    nodes = [node("Mul", "u v", "w"), node("Mul", "x w", "y")]
    assert "Mul 'w'" in refusal(nodes, {"u": float32(1.1), "v": float32(1.3)})
    exact = model_of(nodes, {"u": float32(3), "v": float32(0.5)}, (1,))
    stored = model_of(nodes[1:], {"w": float32(1.5)}, (1,))
    assert forward_error(exact, (0, 1)).errors == forward_error(stored, (0, 1)).errors
    kernel = {"K": np.ones((1, 1, 2, 2), np.float32), "D": np.ones((1, 1, 2, 2), "f4")}
    nodes = [node("Conv", "D K", "w"), node("Mul", "x w", "y")]
    assert "Conv 'w'" in refusal(nodes, kernel)
    draw = node("RandomUniform", "", "w", shape=[1])
    assert "RandomUniform 'w'" in refusal([draw, nodes[1]], {})
    nodes = [node("Flatten", "x", "h"), node("Gemm", "A B h", "y")]
    pair = {"A": np.full((1, 1), 1.1, "f4"), "B": np.full((1, 32), 1.3, "f4")}
    assert "Gemm 'y'" in refusal(nodes, pair)


def test_gemm_with_factors() -> None:
    nodes = [node("Flatten", "x", "h"), node("Gemm", "h W", "y", alpha=0.3)]
    assert "alpha" in refusal(nodes, {"W": np.ones((32, 1), np.float32)})


def test_every_rule_has_a_reader() -> None:
    assert all_rules().keys() <= readers().keys()


def test_refused_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geolip.certification, "Bounding", None)
    nodes = [node("Relu", "x", "h"), node("Gemm", "h W", "y", alpha=0.5)]
    model = model_of(nodes, {"W": np.ones((2, 1), np.float32)}, (1, 2))
    with pytest.raises(UnboundedExecutionError, match="Gemm 'y'"):
        geolip.certify(model, float_exec=(0, 1))
    unknown = model_of([node("LpPool", "x", "y", kernel_shape=[1])], {}, (1, 1, 3))
    with pytest.raises(UnsupportedModelError, match="LpPool 'y'"):
        geolip.certify(unknown, float_exec=(0, 1))
    with pytest.raises(CertificationError, match="range"):
        geolip.certify(dense((np.ones((1, 2)), np.ones(1))), float_exec=(0, 3e38))
