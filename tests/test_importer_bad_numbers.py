"""Stored numbers that no bound can come from."""

from itertools import pairwise

import numpy as np
import pytest
from importer_models import node
from importer_refusals import assert_wrong, build
from onnx import NodeProto, numpy_helper

from geolip.importer import load


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("operator", ["MatMul", "Add", "Gemm"])
def test_weights_that_are_not_finite(operator: str, number: float) -> None:
    W = np.ones((3, 3), np.float32)
    W[1, 2] = number
    model = build([node(operator, ["x", "weight"], ["y"])], constants={"weight": W})
    assert_wrong(model, f"{operator} 'y'", "'weight'", "NaN or infinite")


def test_weights_that_are_not_finite_but_unused() -> None:
    nodes = [node("Add", ["x", "w"], ["dead"]), node("Relu", ["x"], ["y"])]
    load(build(nodes, constants={"w": np.full(3, np.nan, np.float32)}))


def test_weights_of_the_wrong_type() -> None:
    model = build([node("Add", ["x", "w"], ["y"])], constants={"w": np.arange(3)})
    assert_wrong(model, "Add 'y'", "'w'", "int64")


def scalings(name: str, factor: str, before: str) -> list[NodeProto]:
    """Return nine products by the tensor ``factor``, the last one called ``name``."""
    names = [before, *(f"{name}{k}" for k in range(8)), name]
    return [node("Mul", [a, factor], [b]) for a, b in pairwise(names)]


@pytest.mark.parametrize("large_first", [False, True])
def test_products_of_weights_beyond_float64(large_first: bool) -> None:
    first, second = ("large", "small")[:: 1 if large_first else -1]
    nodes = [
        *scalings("h", first, "x"),
        node("Relu", ["h"], ["r"], name="act"),
        *scalings("y", second, "r"),
    ]
    constants = {"small": np.array(2.0**-120), "large": np.array(2.0**120)}
    assert_wrong(build(nodes, constants=constants), "'act'", "range", "rescale")
    # The same products in the last layer, after a block that is fine.
    last = build([node("Relu", ["x"], ["r"]), *scalings("y", second, "r")])
    last.graph.initializer.extend(
        numpy_helper.from_array(a, name) for name, a in constants.items()
    )
    assert_wrong(last, "output 'y'", "range", "rescale")


def test_weights_with_too_few_bytes() -> None:
    W = np.ones((3, 2), np.float32)
    model = build([node("MatMul", ["x", "w"], ["y"])], constants={"w": W})
    model.graph.initializer[0].raw_data = b"1234"
    assert_wrong(model, "tensor 'w'")


@pytest.mark.parametrize("dims", [[-3, -2], [2**62, 2**62]])
def test_weights_with_impossible_shapes(dims: list[int]) -> None:
    W = np.ones((3, 2), np.float32)
    model = build([node("MatMul", ["x", "w"], ["y"])], constants={"w": W})
    model.graph.initializer[0].dims[:] = dims
    assert_wrong(model, "tensor 'w'")


def test_division_by_zero() -> None:
    model = build([node("Div", ["x", "w"], ["y"])], constants={"w": np.zeros(3)})
    assert_wrong(model, "Div 'y'", "divide by zero")


def test_negative_variance() -> None:
    parameters = {name: np.ones(3, np.float32) for name in "sbm"}
    parameters["v"] = np.full(3, -1.0, np.float32)
    model = build(
        [node("BatchNormalization", ["x", *parameters], ["y"])], constants=parameters
    )
    assert_wrong(model, "BatchNormalization 'y'", "variance")
