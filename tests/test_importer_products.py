"""Convolutions, averages and matrix products of all shapes, against onnxruntime."""

from typing import Any

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import build, node, weights

from geolip.linear import Convolution


@pytest.mark.parametrize("seed", range(24))
def test_convolution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    groups = int(rng.integers(1, 3))
    space = [int(n) for n in rng.integers(5, 8, rank)]
    taps = [int(n) for n in rng.integers(1, 4, rank)]
    attributes: dict[str, Any] = {
        "strides": [int(n) for n in rng.integers(1, 4, rank)],
        "group": groups,
    }
    automatic = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"][seed % 4]
    if automatic == "NOTSET":
        attributes["dilations"] = [int(n) for n in rng.integers(1, 3, rank)]
        attributes["pads"] = [int(rng.integers(0, n)) for n in taps * 2]
    else:
        attributes["auto_pad"] = automatic
    shape = [2, 2 * groups, *space]
    constants = {"w": weights(seed, 4, 2, *taps), "b": weights(seed, 4)}
    model = build(
        [node("Conv", ["x", "w", "b"], ["y"], **attributes)], shape, constants
    )
    network = assert_like_onnxruntime(model, shape)
    operator = network.output.terms[0]
    assert isinstance(operator, Convolution)
    np.testing.assert_array_equal(operator.kernel, constants["w"].astype(float))


@pytest.mark.parametrize("seed", range(24))
def test_average_pooling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    opset = (11, 19, 22)[seed // 3 % 3]
    space = [int(n) for n in rng.integers(5, 8, rank)]
    taps = [int(n) for n in rng.integers(1, 4, rank)]
    attributes: dict[str, Any] = {
        "kernel_shape": taps,
        "count_include_pad": int(rng.integers(2)),
    }
    automatic = ["NOTSET", "SAME_UPPER", "NOTSET", "VALID", "SAME_LOWER"][seed % 5]
    if automatic == "NOTSET":
        attributes["ceil_mode"] = int(rng.integers(2))
        attributes["pads"] = [int(rng.integers(0, n)) for n in taps * 2]
        attributes["strides"] = [int(n) for n in rng.integers(1, 4, rank)]
        if opset >= 19:
            attributes["dilations"] = [int(n) for n in rng.integers(1, 3, rank)]
    else:
        attributes["auto_pad"] = automatic
        attributes["strides"] = [int(rng.integers(1, n + 1)) for n in taps]
    shape = [2, 3, *space]
    model = build([node("AveragePool", ["x"], ["y"], **attributes)], shape, None, opset)
    assert_like_onnxruntime(model, shape)


MATRIX_SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((1, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((3, 4), (2, 5, 4, 3)),
    ((1, 1, 2, 3), (3, 1)),
    ((4, 5), (2, 5, 3)),
    ((3,), (2, 3, 4)),
    ((2, 3, 4), (4,)),
]


@pytest.mark.parametrize(("left", "right"), MATRIX_SHAPES)
@pytest.mark.parametrize("constant", ["left", "right"])
def test_matmul(left: tuple[int, ...], right: tuple[int, ...], constant: str) -> None:
    shape, other = (right, left) if constant == "left" else (left, right)
    names = ["w", "x"] if constant == "left" else ["x", "w"]
    model = build([node("MatMul", names, ["y"])], shape, {"w": weights(1, *other)})
    assert_like_onnxruntime(model, shape)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("transposed", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("addend", [(3, 4), (4,), (3, 1), (1,), ()])
def test_gemm(place: int, transposed: tuple[int, int], addend: tuple[int, ...]) -> None:
    trans_a, trans_b = transposed
    shapes = [(2, 3) if trans_a else (3, 2), (4, 2) if trans_b else (2, 4), addend]
    names = ["a", "b", "c"]
    constants = {
        name: weights(number, *shape)
        for number, (name, shape) in enumerate(zip(names, shapes, strict=True))
        if number != place
    }
    names[place] = "x"
    gemm = node(
        "Gemm", names, ["y"], alpha=0.7, beta=-1.5, transA=trans_a, transB=trans_b
    )
    model = build([gemm], shapes[place], constants)
    assert_like_onnxruntime(model, shapes[place])
