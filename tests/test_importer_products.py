"""Convolutions, averages and matrix products of all shapes, against onnxruntime."""

from typing import Any

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import build, node, weights
from importer_refusals import assert_wrong, refused

from geolip.linear import Convolution, TransposedConvolution


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


@pytest.mark.parametrize("seed", range(48))
def test_transposed_convolution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    groups = int(rng.integers(1, 3))
    space = [int(n) for n in rng.integers(2, 5, rank)]
    taps = [int(n) for n in rng.integers(1, 4, rank)]
    strides = [int(n) for n in rng.integers(1, 4, rank)]
    extra = [int(rng.integers(0, n)) for n in strides]
    attributes: dict[str, Any] = {
        "strides": strides,
        "group": groups,
        "output_padding": extra,
    }
    padding = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"][seed // 3 % 4]
    if padding == "NOTSET":
        attributes["dilations"] = [int(n) for n in rng.integers(1, 3, rank)]
        attributes["pads"] = [int(rng.integers(0, 2)) for n in taps * 2]
    else:
        attributes["auto_pad"] = padding
    if padding.startswith("SAME"):
        # No output is longer than its window reaches.
        taps = [max(pair) for pair in zip(taps, strides, strict=True)]
    if seed % 2 and padding == "SAME_UPPER":
        axes = zip(space, strides, taps, extra, strict=True)
        attributes["output_shape"] = [(n - 1) * s + k + e - 1 for n, s, k, e in axes]
    shape = [2, 2 * groups, *space]
    constants = {"w": weights(seed, 2 * groups, 3, *taps), "b": weights(1, 3 * groups)}
    transposed = node("ConvTranspose", ["x", "w", "b"], ["y"], **attributes)
    network = assert_like_onnxruntime(build([transposed], shape, constants), shape)
    operator = network.output.terms[0]
    assert isinstance(operator, TransposedConvolution)
    kernel = operator.convolution.kernel
    np.testing.assert_array_equal(kernel, constants["w"].astype(float))


@pytest.mark.parametrize(
    ("attributes", "opset", "part"),
    [
        ({"auto_pad": "SAME_UPPER", "strides": [4]}, 17, "runtimes disagree"),
        ({"output_shape": [3]}, 10, "odd padding before opset 11"),
        ({"output_padding": [1]}, 17, "a stride longer than its window"),
    ],
)
def test_transposed_convolution_that_runtimes_read_differently(
    attributes: dict[str, Any], opset: int, part: str
) -> None:
    transposed = node("ConvTranspose", ["x", "w"], ["y"], **attributes)
    model = build([transposed], [1, 1, 2], {"w": weights(0, 1, 1, 3)}, opset)
    assert part in refused(model)[0]


@pytest.mark.parametrize(
    ("attributes", "part"),
    [
        ({"group": 2}, "do not fit 1 channels"),
        ({"kernel_shape": [2]}, "kernel_shape"),
        ({"auto_pad": "SAME"}, "unknown"),
        ({"pads": [1, 1], "auto_pad": "VALID"}, "both pads and auto_pad"),
        ({"pads": [2, 2]}, "nothing is left"),
        ({"output_padding": [0, 0]}, "output_padding"),
        ({"output_shape": [4, 4]}, "output_shape"),
    ],
)
def test_wrong_transposed_convolution(attributes: dict[str, Any], part: str) -> None:
    transposed = node("ConvTranspose", ["x", "w"], ["y"], **attributes)
    model = build([transposed], [1, 1, 2], {"w": weights(0, 1, 1, 3)})
    assert_wrong(model, "ConvTranspose 'y'", part)


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
