"""Executions in float32: none is further from the real function than the bound says."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner, Result
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import geolip
import geolip.certification
from geolip import importer
from geolip.cli import main
from geolip.errors import (
    CertificationError,
    UnboundedExecutionError,
    UnsupportedModelError,
    UsageError,
)
from geolip.execution import FloatExecution, forward_error
from geolip.execution.arithmetic import ETA, LARGEST, UNIT
from geolip.execution.graph import output_of
from geolip.execution.rule import all_rules
from geolip.importer.catalogue import readers

MODELS = Path(__file__).parents[1] / "models"
LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL")

Constants = dict[str, np.ndarray]


def model_of(
    nodes: Sequence[NodeProto],
    constants: Constants,
    shape: Sequence[int],
    dtype: int = TensorProto.FLOAT,
) -> ModelProto:
    """Return a model from tensor "x" of the given shape to tensor "y"."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", dtype, list(shape))],
        [helper.make_tensor_value_info("y", dtype, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = helper.make_opsetid("", 13)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def node(kind: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs.split(), output.split(), **attributes)


def float32(*values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def dense(*layers: tuple[np.ndarray, np.ndarray]) -> ModelProto:
    """Return Gemm layers with nothing between them; weights (out, in)."""
    nodes, constants, last = [], {}, "x"
    for k, (W, b) in enumerate(layers):
        constants |= {f"W{k}": np.float32(W), f"b{k}": np.float32(b)}
        name = "y" if k == len(layers) - 1 else f"h{k}"
        nodes.append(node("Gemm", f"{last} W{k} b{k}", name, transB=1))
        last = name
    return model_of(nodes, constants, (1, layers[0][0].shape[1]))


# Against a runtime ------------------------------------------------------------------


def executed(model: ModelProto, level: str, points: np.ndarray) -> np.ndarray:
    """Return what a runtime makes of the points, which are rows."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, level
    )
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    shape = importer.load(model).input_shape
    outputs = [session.run(None, {"x": x.reshape(shape)})[0].ravel() for x in points]
    return np.array(outputs, dtype=np.float64)


def measured(
    model: ModelProto, region: tuple[float, float], count: int = 12
) -> np.ndarray:
    """Return the largest errors (m,) of a runtime at random points and corners."""
    rng = np.random.default_rng(5)
    network = importer.load(model)
    size = network.input_size
    points = np.float32(
        [
            *rng.uniform(*region, (count, size)),
            *rng.choice(region, (count, size)),
            np.full(size, region[0]),
            np.full(size, region[1]),
        ]
    )
    real = network.evaluate(points.T.astype(np.float64)).T
    runs = [np.abs(executed(model, level, points) - real) for level in LEVELS]
    return np.asarray(np.max(runs, axis=(0, 1)))


class Draw:
    """Random float32 constants, collected under their names."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.constants: Constants = {}

    def normal(self, **shapes: Sequence[int]) -> None:
        for name, shape in shapes.items():
            self.constants[name] = np.float32(self.rng.normal(size=shape))

    def batch(self, suffix: str, channels: int) -> None:
        self.normal(**{name + suffix: (channels,) for name in ("s", "b", "m")})
        self.constants[f"v{suffix}"] = np.float32(self.rng.uniform(0.01, 4, channels))


def fully_connected(draw: Draw) -> ModelProto:
    draw.normal(V=(12, 20), c=(20,), W=(20, 20), b=(20,), U=(20, 3), a=(3,))
    nodes = [
        node("MatMul", "x V", "h"),
        node("Add", "c h", "i"),
        node("Relu", "i", "j"),
        node("Gemm", "j W b", "k"),
        node("LeakyRelu", "k", "l", alpha=0.3),
        node("Gemm", "l U a", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 12))


def saturating(draw: Draw) -> ModelProto:
    draw.normal(V=(12, 20), W=(20, 20), b=(20,), U=(20, 3))
    nodes = [
        node("MatMul", "x V", "h"),
        node("Sigmoid", "h", "i"),
        node("Gemm", "i W b", "j"),
        node("Tanh", "j", "k"),
        node("MatMul", "k U", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 12))


def residual(draw: Draw) -> ModelProto:
    """Convolutions with normalisations, which the runtime folds into them."""
    draw.normal(K=(4, 2, 3, 3), k=(4,), L=(4, 4, 3, 3), l=(4,), S=(4, 2, 1, 1))
    draw.normal(W=(64, 3))
    draw.batch("1", 4)
    draw.batch("2", 4)
    nodes = [
        node("Conv", "x K k", "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "c s1 b1 m1 v1", "d"),
        node("Relu", "d", "e"),
        node("Conv", "e L l", "f", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "f s2 b2 m2 v2", "g"),
        node("Conv", "x S", "h", strides=[2, 2]),
        node("Add", "g h", "i"),
        node("Relu", "i", "j"),
        node("Flatten", "j", "n"),
        node("MatMul", "n W", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 2, 8, 8))


def preprocessed(draw: Draw) -> ModelProto:
    draw.normal(mean=(2, 1, 1), K=(4, 1, 2, 2), g=(4, 1, 1), h=(1,))
    draw.constants["std"] = np.float32([[[0.3]], [[0.7]]])
    nodes = [
        node("Sub", "x mean", "a"),
        node("Div", "a std", "b"),
        node("Conv", "b K", "c", group=2),
        node("Mul", "c g", "d"),
        node("Sub", "h d", "e"),
        node("Neg", "e", "f"),
        node("Relu", "f", "i"),
        node("AveragePool", "i", "j", kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
        node("ReduceSum", "j", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 2, 6, 6))


def moving(draw: Draw) -> ModelProto:
    draw.normal(W=(6, 3), C=(1, 4), big=(1, 4))
    draw.constants |= {
        "shape": np.array([2, 6]),
        "half": np.array([4, 4]),
        "rows": np.array([1, 0, 1]),
        "yes": np.array([[True, False, True, False]]),
    }
    nodes = [
        node("Split", "x half", "l r", axis=1),
        node("Where", "yes l big", "m"),
        node("Concat", "m C r", "n", axis=1),
        node("Reshape", "n shape", "o"),
        node("MatMul", "o W", "p"),
        node("Gather", "p rows", "q"),
        node("Transpose", "q", "s"),
        node("Sum", "s s s", "t"),
        node("Add", "t t", "v"),
        node("ReduceMean", "v", "y", axes=[0]),
    ]
    return model_of(nodes, draw.constants, (1, 8))


GRAPHS: list[Callable[[Draw], ModelProto]] = [
    fully_connected,
    saturating,
    residual,
    preprocessed,
    moving,
]


@pytest.mark.parametrize("region", [(0.0, 1.0), (-3.0, 2.0), (100.0, 100.5)])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_runtime_stays_within(
    graph: Callable[[Draw], ModelProto], seed: int, region: tuple[float, float]
) -> None:
    model = graph(Draw(seed))
    bound = np.array(forward_error(model, region).errors)
    errors = measured(model, region)
    assert (errors <= bound).all()
    assert (errors > 0).any()


@pytest.mark.parametrize("name", ["digits_fc", "digits_conv", "digits_sigmoid"])
def test_shipped_networks(name: str) -> None:
    model = importer.read(MODELS / f"{name}.onnx")[0]
    model.graph.input[0].name, old = "x", model.graph.input[0].name
    for reader in model.graph.node:
        reader.input[:] = ["x" if name == old else name for name in reader.input]
    bound = np.array(forward_error(model, (0, 1)).errors)
    assert (measured(model, (0, 1)) <= bound).all()


def test_the_bound_is_not_absurd() -> None:
    rng = np.random.default_rng(1)
    W, b, U, c = (rng.normal(size=n) for n in ((30, 20), 30, (4, 30), 4))
    model = dense((W, b), (U, c))
    bound = forward_error(model, (0, 1)).error
    assert bound <= 300 * measured(model, (0, 1), 100).max()


def test_deep_networks_of_small_norm() -> None:
    rng = np.random.default_rng(2)
    layers = [np.linalg.qr(rng.normal(size=(40, 40)))[0] for _ in range(30)]
    model = dense(*((Q, np.zeros(40)) for Q in layers))
    # Products of absolute values would be of size 5^30.
    assert forward_error(model, (-1, 1)).error < 0.1


# Orders of summation ----------------------------------------------------------------


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
    (node("BatchNormalization", "x c c c c", "y"), 12),
    (node("Flatten", "x", "y"), 0),
    (node("Relu", "x", "y"), 0),
]


@pytest.mark.parametrize(("only", "depth"), DEPTHS)
def test_roundings_that_a_term_passes(only: NodeProto, depth: int) -> None:
    constants = {"c": float32(1.5), "K": np.ones((1, 1, 2, 2), np.float32)}
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


# Ranges -----------------------------------------------------------------------------


@pytest.mark.parametrize("graph", GRAPHS)
def test_real_values_are_enclosed(graph: Callable[[Draw], ModelProto]) -> None:
    model = graph(Draw(0))
    network = importer.load(model)
    values = output_of(model, -1, 1)[0].values
    corners = np.random.default_rng(0).choice([-1.0, 1.0], (network.input_size, 100))
    for real in network.evaluate(corners).T:
        assert (values.lower <= real).all()
        assert (real <= values.upper).all()
        assert np.linalg.norm(real - values.centre) <= values.spread


def test_ranges_are_attained() -> None:
    H = np.array([[1.0, 1], [1, -1]])
    values = output_of(dense((np.kron(H, H), np.arange(4.0))), -1, 3)[0].values
    # Corners are mapped to all of four balls' points that are farthest away.
    np.testing.assert_allclose(values.centre, [4, 1, 2, 3], atol=1e-9)
    np.testing.assert_allclose(values.spread, 8)
    np.testing.assert_allclose(values.upper - values.centre, 8)
    np.testing.assert_allclose(values.centre - values.lower, 8)


def test_a_region_around_zero() -> None:
    W = np.random.default_rng(0).normal(size=(5, 40))
    model = dense((W, np.zeros(5)))
    bound = np.array(forward_error(model, (-1, 1)).errors)
    assert (bound >= 40 * UNIT * np.abs(np.float32(W)).sum(axis=1)).all()


# Normalisation ----------------------------------------------------------------------


def test_a_mean_that_cancels() -> None:
    """The function has no bias at all, its execution has two large ones."""
    rng = np.random.default_rng(3)
    constants = {
        "W": np.float32(rng.normal(size=(5, 5))),
        "c": np.full(5, 1e5, np.float32),
        "s": np.float32(rng.uniform(0.5, 2, 5)),
        "b": np.zeros(5, np.float32),
        "m": np.full(5, 1e5, np.float32),
        "v": np.float32(rng.uniform(0.5, 2, 5)),
    }
    normalise = node("BatchNormalization", "h s b m v", "y")
    model = model_of([node("Gemm", "x W c", "h"), normalise], constants, (1, 5))
    bound = np.array(forward_error(model, (-1, 1)).errors)
    network = importer.load(model)
    merged = 20 * UNIT * network.output.terms[0].row_sums + np.abs(network.output.bias)
    errors = measured(model, (-1, 1))
    assert (errors > 10 * merged).any()
    assert (errors <= bound).all()

    c, s, b, m, v = (constants[name] for name in "csbmv")
    x = np.float32(rng.uniform(-1, 1, (50, 5)))
    real = network.evaluate(x.T.astype(np.float64)).T
    inverse = np.float32(1) / np.sqrt(v + np.float32(1e-5))
    z, a = x @ constants["W"] + c, s * inverse
    folded = x @ (constants["W"] * a) + ((c - m) * a + b)
    late = x @ (constants["W"] * a) + c * a + (b - m * a)
    for result in ((z - m) * inverse * s + b, z * a + (b - m * a), folded, late):
        assert result.dtype == np.float32
        assert (np.abs(result - real) <= bound).all()


def test_a_mean_that_the_bias_cancels() -> None:
    constants = {"s": float32(1.1), "m": float32(1e5), "v": float32(0.9)}
    constants["b"] = np.float32(1e5 * 1.1 / np.sqrt(0.9 + 1e-5) * float32(1))
    model = model_of([node("BatchNormalization", "x s b m v", "y")], constants, (8, 1))
    (bound,) = set(forward_error(model, (-1, 1)).errors)
    assert 1e-4 < measured(model, (-1, 1)).max() <= bound


# Edge cases -------------------------------------------------------------------------


def test_zero_weights() -> None:
    (bound,) = forward_error(dense((np.zeros((1, 3)), np.zeros(1))), (-1, 1)).errors
    assert bound <= 100 * ETA


def test_what_only_moves_is_exact() -> None:
    model = model_of([node("Flatten", "x", "y")], {}, (1, 2, 2))
    assert forward_error(model, (-1e30, 1e30)).error == 0


def test_overflow() -> None:
    model = dense((np.full((1, 2), 3e38), np.zeros(1)))
    with pytest.raises(CertificationError, match=r"Gemm 'y'.*range"):
        forward_error(model, (-1, 1))
    # The sum of an average overflows, the average does not.
    pool = node("ReduceMean", "x", "y", axes=[1])
    with pytest.raises(CertificationError, match="ReduceMean"):
        forward_error(model_of([pool], {}, (1, 100)), (0, LARGEST / 10))


@pytest.mark.parametrize(
    "region",
    [(1, 0), (np.nan, 1), (0, np.inf), (0, 1e39), (1,), (0, 1, 2), ("0", 1), 1, "01"],
)
def test_no_region(region: Any) -> None:
    with pytest.raises(UsageError, match="region"):
        forward_error(dense((np.ones((1, 1)), np.ones(1))), region)


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


# The statement ----------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["certify", *arguments])


QUICK = (str(MODELS / "digits_fc.onnx"), "--rows", "0")


def test_text() -> None:
    result = run(*QUICK, "--float-exec", "-0.5,1")
    assert result.exit_code == 0, result.output
    bound = forward_error(QUICK[0], (-0.5, 1)).error
    lines = result.stdout.splitlines()
    start = lines.index("Execution in float32, every input coordinate in [-0.5, 1.0]:")
    assert start > lines.index(next(line for line in lines if "at least" in line))
    *words, printed = lines[start + 1].split()
    assert words[-2:] == ["at", "most"]
    assert bound <= Decimal(printed) <= Decimal(bound) * Decimal("1.000001")
    assert sum("assumed" in line for line in lines) == 3
    assert "float32" not in run(*QUICK).stdout


def test_json() -> None:
    result = run(*QUICK, "--float-exec", "0,1", "--json")
    found = json.loads(result.stdout)["float_execution"]
    expected = forward_error(QUICK[0], (0, 1))
    assert found["format"] == "IEEE-754 binary32"
    assert found["region"] == [0, 1]
    assert found["errors"] == list(expected.errors)
    assert len(found["errors"]) == 10
    assert found["error"] == max(expected.errors)
    assert found["assumptions"] == list(expected.assumptions)
    assert "binary32" in found["claim"]
    assert expected.sha256 in found["claim"]
    assert json.loads(run(*QUICK, "--json").stdout)["float_execution"] is None


def test_functions_of_a_library_are_an_assumption() -> None:
    def assumes(name: str) -> bool:
        found: FloatExecution = forward_error(MODELS / f"{name}.onnx", (0, 1))
        return any("2^-20" in assumption for assumption in found.assumptions)

    assert assumes("digits_sigmoid")
    assert not assumes("digits_fc")


@pytest.mark.parametrize("text", ["1,0", "nan,1", "0,inf", "0", "0,1,2", "a,b", ""])
def test_wrong_usage(text: str) -> None:
    result = run(*QUICK, "--float-exec", text)
    assert result.exit_code == 2
    assert "--float-exec" in result.stderr


def test_refused_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geolip.certification, "Bounding", None)
    nodes = [node("Relu", "x", "h"), node("Gemm", "h W", "y", alpha=0.5)]
    model = model_of(nodes, {"W": np.ones((2, 1), np.float32)}, (1, 2))
    with pytest.raises(UnboundedExecutionError, match="Gemm 'y'"):
        geolip.certify(model, float_exec=(0, 1))
    unknown = model_of([node("MaxPool", "x", "y", kernel_shape=[1])], {}, (1, 1, 3))
    with pytest.raises(UnsupportedModelError, match="MaxPool 'y'"):
        geolip.certify(unknown, float_exec=(0, 1))
    with pytest.raises(CertificationError, match="range"):
        geolip.certify(dense((np.ones((1, 2)), np.ones(1))), float_exec=(0, 3e38))
