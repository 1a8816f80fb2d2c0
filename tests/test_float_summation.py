"""Float32 sums in any order, and cases that use up their bound."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from float_graphs import dense, float32, model_of, node
from onnx import NodeProto

from geolip.execution import forward_error
from geolip.execution.arithmetic import ETA, UNIT
from geolip.execution.graph import output_of


def forwards(terms: Sequence[np.float32]) -> np.float32:
    total = np.float32(0)
    for term in terms:
        total = np.float32(total + term)
    return total


def pairwise(terms: Sequence[np.float32]) -> np.float32:
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return np.float32(pairwise(terms[:middle]) + pairwise(terms[middle:]))


def fused(w: Sequence[np.float32], x: Sequence[np.float32], b: np.float32) -> float:
    total = float(b)
    for factor, value in zip(w, x, strict=True):
        # The product is exact in float64, the sum so nearly that it does not matter.
        total = float(np.float32(float(factor) * float(value) + total))
    return total


def exact_dot(w: Sequence[Any], x: Sequence[Any], b: Any) -> Fraction:
    pairs = zip(w, x, strict=True)
    return Fraction(float(b)) + sum(
        Fraction(float(f)) * Fraction(float(v)) for f, v in pairs
    )


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_summation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=40) * 10.0 ** rng.uniform(-3, 3, 40)
    # What is added is taken away again, but for rounding.
    w = np.float32([*half, *(-half * (1 + 1e-6 * rng.normal(size=40)))])
    b = np.float32(rng.normal())
    model = dense((w[None], b[None]))
    (bound,) = forward_error(model, (0.999, 1.001)).errors
    for _ in range(20):
        x = np.clip(np.float32(rng.uniform(0.999, 1.001, 80)), 0.9991, 1.0009)
        truth = exact_dot(w, x, b)
        products = [*(w * x), b]
        by_size = sorted(products, key=abs)
        mixed = list(rng.permutation(np.array(products)))
        results = [
            *(forwards(t) for t in (products, products[::-1], by_size[::-1], mixed)),
            *(pairwise(t) for t in (products, by_size, mixed)),
            fused(w, x, b),
            fused(w[::-1], x[::-1], b),
            fused(np.sort(w), x[np.argsort(w)], b),
        ]
        for result in results:
            assert abs(Fraction(float(result)) - truth) <= Fraction(bound)


# Cases that use up the bound: each stands against one way to get it wrong.


def test_one_product_rounds_by_a_whole_unit() -> None:
    rng = np.random.default_rng(0)
    worst = 0.0
    for w, x in np.float32(1 + rng.uniform(0, 2**-11, (3000, 2))):
        off = float(abs(Fraction(float(w * x)) - exact_dot([w], [x], 0)))
        worst = max(worst, off / (float(w) * float(x)) / UNIT)
        if off > 0.9 * UNIT:
            (bound,) = forward_error(dense((w[None, None], 0 * w[None])), (x, x)).errors
            assert off <= bound <= 1.2 * off
        b = np.float32(0.999 * UNIT)
        if exact_dot([w], [x], -w * x) > 0.9 * UNIT:
            off = exact_dot([w], [x], b) - Fraction(float(np.float32(w * x + b)))
            (bound,) = forward_error(dense((w[None, None], b[None])), (x, x)).errors
            assert 1.8 * UNIT < off <= Fraction(bound)
    assert worst > 0.9


def test_a_slope_rounds() -> None:
    model = model_of([node("LeakyRelu", "x", "y", alpha=0.3)], {}, (1,))
    for x in np.float32(np.random.default_rng(0).uniform(-1, 0, 20)):
        (bound,) = forward_error(model, (x, x)).errors
        alpha = np.float32(0.3)
        off = float(abs(Fraction(float(alpha * x)) - exact_dot([alpha], [x], 0)))
        assert off <= bound <= 1.2 * UNIT * abs(x)


def small_terms(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weights whose products with 1 all get lost when added to the bias, 1."""
    return np.full((1, count), 0.999 * UNIT), np.ones(1)


def test_a_long_sum_loses_every_term() -> None:
    W, b = small_terms(300)
    (bound,) = forward_error(dense((W, b)), (1, 1)).errors
    assert forwards([b[0], *np.float32(W[0])]) == 1
    assert 299 * UNIT < W.sum() <= bound <= 1.1 * W.sum()


def test_errors_are_carried_on() -> None:
    W, b = small_terms(300)
    model = dense((W, b), (float32([8]), float32(0)))
    (bound,) = forward_error(model, (1, 1)).errors
    assert 8 * W.sum() <= bound <= 1.1 * 8 * W.sum()


@pytest.mark.parametrize("kind", ["Relu", "LeakyRelu", "Flatten", "Transpose"])
def test_errors_pass_through(kind: str) -> None:
    W, b = small_terms(300)
    constants = {"W": np.float32(W.T), "b": np.float32(b), "one": float32(1)[None]}
    nodes = [
        node("Gemm", "x W b", "h"),
        node(kind, "h", "i"),
        node("MatMul", "i one", "y"),
    ]
    model = model_of(nodes, constants, (1, 300))
    (bound,) = forward_error(model, (1, 1)).errors
    assert W.sum() <= bound <= 1.1 * W.sum()


def test_a_bias_is_rounded_with_its_sum() -> None:
    W, b = float32([1]), float32(0.999 / UNIT)
    x = 2.0**-1
    off = abs(
        Fraction(float(np.float32(x) + b[0])) - Fraction(x) - Fraction(float(b[0]))
    )
    (bound,) = forward_error(dense((W, b)), (x, x)).errors
    assert 0 < off <= Fraction(bound)


def test_merged_sums() -> None:
    """A runtime may start the product's sum with what is added to it afterwards."""
    W, one = small_terms(300)
    constants = {"W": np.float32(W.T), "one": np.float32(one)}
    nodes = [
        node("MatMul", "x W", "h"),
        node("Mul", "h one", "i"),
        node("Flatten", "i", "j"),
        node("Add", "j one", "y"),
    ]
    (bound,) = forward_error(model_of(nodes, constants, (1, 300)), (1, 1)).errors
    assert bound >= W.sum()


DEPTHS = [
    (node("Mul", "x c", "y"), 1),
    (node("Div", "x c", "y"), 2),
    (node("Add", "x c", "y"), 1),
    (node("Sum", "x c c x", "y"), 3),
    (node("ReduceSum", "x", "y"), 9),
    (node("ReduceMean", "x", "y"), 9 + 2),
    (node("GlobalAveragePool", "x", "y"), 9 + 2),
    (node("AveragePool", "x", "y", kernel_shape=[2, 2]), 4 + 2),
    (node("Conv", "x K", "y"), 4),
    (node("Conv", "x K c", "y"), 4 + 1),
    (node("ConvTranspose", "x K", "y"), 4),
    (node("CumSum", "x k", "y"), 3),
    (node("BatchNormalization", "x c c c c", "y"), 12),
    (node("Flatten", "x", "y"), 0),
    (node("Relu", "x", "y"), 0),
]


@pytest.mark.parametrize(("only", "depth"), DEPTHS)
def test_roundings_that_a_term_passes(only: NodeProto, depth: int) -> None:
    constants = {
        "c": float32(1.5),
        "k": np.array(3),
        "K": np.ones((1, 1, 2, 2), np.float32),
    }
    model = model_of([only], constants, (1, 1, 3, 3))
    assert output_of(model, -1, 1)[0].depth == depth


def test_flushed_to_zero() -> None:
    x = 2.0**-100
    (bound,) = forward_error(dense((float32([2.0**-28]), float32(0))), (x, x)).errors
    assert 2.0**-128 <= bound <= 1000 * ETA


def test_constants_that_cancel_in_one_sum() -> None:
    constants = {"big": float32(2.0**30), "minus": float32(-(2.0**30))}
    model = model_of([node("Sum", "big x minus", "y")], constants, (1,))
    (bound,) = forward_error(model, (1, 1)).errors
    assert np.float32(np.float32(1) + constants["big"])[0] + constants["minus"][0] == 0
    assert bound >= 1
    nodes = [
        node("Add", "x big", "h"),
        node("Add", "h minus", "i"),
        node("Neg", "i", "y"),
    ]
    (bound,) = forward_error(model_of(nodes, constants, (1,)), (1, 1)).errors
    assert bound >= 1
