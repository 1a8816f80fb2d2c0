"""Stored numbers stay what they are, but for roundings that are counted."""

from fractions import Fraction

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import Arrays, build, node, weights
from onnx import NodeProto, TensorProto

from geolip.importer import load
from geolip.linear import Composition, Dense

UNIT = Fraction(1, 2**53)

AVERAGES = {
    "AveragePool": node("AveragePool", ["x"], ["y"], kernel_shape=[1, 3]),
    "GlobalAveragePool": node("GlobalAveragePool", ["x"], ["y"]),
    "ReduceMean": node("ReduceMean", ["x"], ["y"], axes=[3]),
}


@pytest.mark.parametrize("kind", AVERAGES)
def test_averages_are_rounded_once(kind: str) -> None:
    (operator,) = load(build([AVERAGES[kind]], [1, 2, 1, 3])).output.terms.values()
    assert operator.roundings == 1
    (entry,) = np.unique(operator.dense()[operator.dense() != 0])
    error = abs(Fraction(float(entry)) * 3 - 1)
    assert 0 < error <= UNIT


def test_sums_products_and_pieces_are_not_rounded() -> None:
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Mul", ["s", "w"], ["m"]),
        node("Neg", ["m"], ["y"]),
    ]
    model = build(nodes, [1, 3], {"w": weights(0)})
    (operator,) = load(model).output.terms.values()
    assert isinstance(operator, Composition)
    assert all(factor.roundings == 0 for factor in operator.factors)


def test_quotients_are_rounded_once() -> None:
    divisors = weights(0, 5)
    model = build([node("Div", ["x", "w"], ["y"])], [1, 5], {"w": divisors})
    (operator,) = load(model).output.terms.values()
    assert operator.roundings == 1
    for entry, divisor in zip(np.diag(operator.dense()), divisors, strict=True):
        assert abs(Fraction(float(entry)) * Fraction(float(divisor)) - 1) <= UNIT


def normalisation(name: str, size: int) -> tuple[NodeProto, Arrays]:
    """Return a batch normalisation of tensor ``name`` to ``n``, with its parameters."""
    parameters = {key: np.abs(weights(k, size)) for k, key in enumerate("gbmv")}
    inputs = [name, *parameters]
    return node("BatchNormalization", inputs, ["n"], epsilon=0.01), parameters


def test_normalisation_is_rounded_three_times() -> None:
    normalise, constants = normalisation("x", 5)
    (operator,) = load(build([normalise], [1, 5], constants)).output.terms.values()
    assert operator.roundings == 3
    epsilon = Fraction(float(np.float32(0.01)))
    for entry, scale, variance in zip(
        np.diag(operator.dense()), constants["g"], constants["v"], strict=True
    ):
        # The square of the entry has twice its relative error.
        square = Fraction(float(entry)) ** 2 * (Fraction(float(variance)) + epsilon)
        assert abs(square / Fraction(float(scale)) ** 2 - 1) <= 6 * UNIT


@pytest.mark.parametrize("opset", [7, 9, 13, 14, 15, 17])
def test_normalised_constant(opset: int) -> None:
    normalise, constants = normalisation("c", 3)
    nodes = [normalise, node("Mul", ["x", "n"], ["y"])]
    model = build(nodes, [2, 3], {**constants, "c": weights(4, 2, 3)}, opset)
    assert_like_onnxruntime(model, [2, 3])


def test_normalised_constant_in_closed_form() -> None:
    normalise = node("BatchNormalization", ["c", *"gbmv"], ["n"], epsilon=0.0)
    constants = {
        "c": np.full((1, 1), 3.0, np.float32),
        "g": np.array([2.0], np.float32),
        "b": np.array([-1.0], np.float32),
        "m": np.array([0.0], np.float32),
        "v": np.array([4.0], np.float32),
    }
    nodes = [normalise, node("Mul", ["x", "n"], ["y"])]
    (operator,) = load(build(nodes, [1, 1], constants, 9)).output.terms.values()
    assert operator.dense().item() == 2.0


@pytest.mark.parametrize("opset", [7, 12, 13])
def test_dropped_constant(opset: int) -> None:
    nodes = [node("Dropout", ["c"], ["d"]), node("Mul", ["x", "d"], ["y"])]
    assert_like_onnxruntime(build(nodes, [3], {"c": weights(0, 3)}, opset), [3])


# Weights ----------------------------------------------------------------------------


def test_weights_are_those_stored() -> None:
    W = weights(0, 3, 2)
    gemm = node("Gemm", ["x", "w"], ["y"], alpha=0.1)
    (operator,) = load(build([gemm], [1, 3], {"w": W})).output.terms.values()
    assert isinstance(operator, Composition)
    assert isinstance(operator.factors[1], Dense)
    np.testing.assert_array_equal(operator.factors[1].matrix, W.T.astype(float))


def test_arithmetic_on_weights_is_not_done_in_single_precision() -> None:
    a, b = np.float32(0.1), np.float32(0.3)
    nodes = [
        node("Mul", ["a", "b"], ["c"]),
        # The model declares FLOAT on both sides, so that nothing is rounded here.
        node("Cast", ["c"], ["d"], to=TensorProto.FLOAT),
        node("Mul", ["x", "d"], ["y"]),
    ]
    constants = {"a": np.array(a), "b": np.array(b)}
    (operator,) = load(build(nodes, [1], constants)).output.terms.values()
    assert operator.dense().item() == float(a) * float(b) != float(a * b)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (TensorProto.FLOAT16, TensorProto.FLOAT),
        (TensorProto.BFLOAT16, TensorProto.DOUBLE),
        (TensorProto.FLOAT, TensorProto.FLOAT),
    ],
)
def test_widening_cast_is_the_identity(source: int, target: int) -> None:
    cast = node("Cast", ["x"], ["y"], to=target)
    assert not load(build([cast], [3], element=source)).blocks


@pytest.mark.parametrize(("code", "exact"), [(np.int8, True), (np.int32, False)])
def test_quantised_weights_are_the_products(code: type, exact: bool) -> None:
    codes = np.array([[-128, 127], [3, -7]]).astype(code)
    scales, zeros = np.float32([0.1, 0.7]), np.array([5, -9]).astype(code)
    nodes = [
        node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=0),
        node("MatMul", ["w", "x"], ["y"]),
    ]
    constants = {"q": codes, "s": scales, "z": zeros}
    network = load(build(nodes, [2], constants, opset=19))
    assert (network.inexact == ()) == exact
    (operator,) = network.output.terms.values()
    assert operator.roundings == 0
    for k in range(2):
        for i in range(2):
            product = (int(codes[k, i]) - int(zeros[k])) * Fraction(float(scales[k]))
            assert Fraction(float(operator.dense()[k, i])) == product


def test_half_precision_weights_are_widened() -> None:
    W = weights(0, 3, 2).astype(np.float16)
    nodes = [
        node("Cast", ["w"], ["v"], to=TensorProto.FLOAT),
        node("MatMul", ["x", "v"], ["y"]),
    ]
    (operator,) = load(build(nodes, [1, 3], {"w": W})).output.terms.values()
    np.testing.assert_array_equal(operator.dense(), W.T.astype(float))


@pytest.mark.parametrize(
    "reader",
    [
        node("ConvTranspose", ["x", "w"], ["y"]),
        node("Einsum", ["x", "w"], ["y"], equation="bct,cdk->bdtk"),
    ],
    ids=["ConvTranspose", "Einsum"],
)
def test_roundings_of_computed_weights_are_carried(reader: NodeProto) -> None:
    nodes = [node("Div", ["v", "s"], ["w"]), reader]
    constants = {"v": weights(0, 2, 3, 2), "s": np.array(3.0, np.float32)}
    network = load(build(nodes, [1, 2, 4], constants))
    assert network.inexact == ()
    (operator,) = network.output.terms.values()
    factors = operator.factors if isinstance(operator, Composition) else (operator,)
    assert max(factor.roundings for factor in factors) == 1


def test_sampled_weights_are_rounded_once() -> None:
    places = np.float32([0.1, -0.3, 0.7])
    sampled = node("GridSample", ["x", "g"], ["y"], align_corners=1)
    grid = {"g": places.reshape(1, 1, 1, 1, 3)}
    model = build([sampled], [1, 1, 2, 2, 2], grid, opset=20)
    (operator,) = load(model).output.terms.values()
    assert operator.roundings == 1
    wanted = np.ones(1, object)
    for place in places[::-1]:
        share = (Fraction(float(place)) + 1) / 2
        wanted = np.kron(wanted, np.array([1 - share, share]))
    for entry, weight in zip(operator.dense().ravel(), wanted, strict=True):
        assert abs(Fraction(float(entry)) - weight) <= UNIT * weight
