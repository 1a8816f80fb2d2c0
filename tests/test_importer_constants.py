"""Constants that the graph computes: how far they are off, against fractions."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact_operators import exact
from importer_models import Arrays, build, integers, node, weights
from onnx import NodeProto, TensorProto

import geolip
from geolip.importer import load

UNIT = Fraction(1, 2**53)
SHAPE = (4, 4)


def root(square: Fraction) -> Fraction:
    """Return a square root to some 100 digits."""
    digits = 2**340
    return Fraction(math.isqrt(math.floor(square * digits**2)), digits)


def roots(squares: Any) -> Any:
    return np.frompyfunc(root, 1, 1)(squares)


# Operators on matrices, and the same on arrays of fractions.
STEPS: dict[str, tuple[NodeProto, Callable[..., Any]]] = {
    "Add": (node("Add", ["a", "b"], ["y"]), lambda a, b: a + b),
    "Sub": (node("Sub", ["a", "b"], ["y"]), lambda a, b: a - b),
    "Mul": (node("Mul", ["a", "b"], ["y"]), lambda a, b: a * b),
    "Div": (node("Div", ["a", "b"], ["y"]), lambda a, b: a / b),
    "Sum": (node("Sum", ["a", "b", "a"], ["y"]), lambda a, b: a + b + a),
    "Max": (node("Max", ["a", "b"], ["y"]), lambda a, b: np.maximum(a, b)),
    "MatMul": (node("MatMul", ["a", "b"], ["y"]), lambda a, b: a @ b),
    "Neg": (node("Neg", ["a"], ["y"]), lambda a, _: -a),
    "Abs": (node("Abs", ["a"], ["y"]), lambda a, _: abs(a)),
    "Relu": (node("Relu", ["a"], ["y"]), lambda a, _: np.maximum(a, Fraction())),
    "Transpose": (node("Transpose", ["a"], ["y"]), lambda a, _: a.T),
    "Reciprocal": (node("Reciprocal", ["a"], ["y"]), lambda a, _: 1 / a),
    "Pow": (node("Pow", ["a", "two"], ["y"]), lambda a, _: a * a),
    "ReduceSumSquare": (
        node("ReduceSumSquare", ["a"], ["y"], axes=[0]),
        lambda a, _: (a * a).sum(axis=0, keepdims=True) + 0 * a,
    ),
    "ReduceL1": (
        node("ReduceL1", ["a"], ["y"], axes=[0]),
        lambda a, _: abs(a).sum(axis=0, keepdims=True) + 0 * a,
    ),
    "ReduceL2": (
        node("ReduceL2", ["a"], ["y"], axes=[1]),
        lambda a, _: roots((a * a).sum(axis=1, keepdims=True)) + 0 * a,
    ),
    "ReduceSum": (
        node("ReduceSum", ["a", "one"], ["y"]),
        lambda a, _: a.sum(axis=1, keepdims=True) + 0 * a,
    ),
    "ReduceMean": (
        node("ReduceMean", ["a"], ["y"], axes=[0]),
        lambda a, _: a.mean(axis=0, keepdims=True) + 0 * a,
    ),
}


def computed(
    seed: int, depth: int
) -> tuple[list[NodeProto], Arrays, np.ndarray[Any, Any]]:
    """Return nodes that compute matrix ``c`` from constants, and its real entries."""
    random = np.random.default_rng(seed)
    stored = {name: weights(2 * seed + k, *SHAPE) for k, name in enumerate("uv")}
    real = {name: exact(value) for name, value in stored.items()}
    nodes = []
    for step in range(depth):
        kind = random.choice(list(STEPS))
        names = [str(name) for name in random.choice(list(real), 2)]
        single, function = STEPS[kind]
        called = dict(zip("ab", names, strict=True))
        inputs = [called.get(name, name) for name in single.input]
        made = NodeProto()
        made.CopyFrom(single)
        made.input[:], made.output[:] = inputs, [f"t{step}"]
        nodes.append(made)
        # Reduced axes are written out, so that all shapes are the same.
        nodes.append(node("Expand", [f"t{step}", "shape"], [f"e{step}"]))
        real[f"e{step}"] = function(*(real[name] for name in names))
    nodes.append(node("Identity", [f"e{depth - 1}"], ["c"]))
    constants = {
        **stored,
        "two": np.float32(2),
        "one": integers(1),
        "shape": integers(*SHAPE),
    }
    return nodes, constants, real[f"e{depth - 1}"]


USES: dict[str, tuple[Sequence[int], NodeProto, Callable[[Any], Any]]] = {
    "MatMul": ((1, 4), node("MatMul", ["x", "c"], ["y"]), lambda c: c.T),
    "MatMul, constant first": ((4,), node("MatMul", ["c", "x"], ["y"]), lambda c: c),
    "Gemm": ((1, 4), node("Gemm", ["x", "c"], ["y"], transB=1), lambda c: c),
    "Mul": (SHAPE, node("Mul", ["x", "c"], ["y"]), lambda c: np.diag(c.ravel())),
    "Div": (SHAPE, node("Div", ["x", "c"], ["y"]), lambda c: np.diag(1 / c.ravel())),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_computed_factors_are_as_exact_as_counted(use: str, depth: int) -> None:
    counted = 0
    for seed in range(60):
        try:
            nodes, constants, real = computed(seed, depth)
        except ZeroDivisionError:
            continue
        if use == "Div" and not all(real.ravel()):
            continue
        shape, last, arranged = USES[use]
        network = load(build([*nodes, last], shape, constants))
        if network.inexact:
            continue
        counted += 1
        truth = arranged(real)
        if not network.output.terms:
            assert not truth.any()
            continue
        (operator,) = network.output.terms.values()
        missed = abs(exact(operator.dense()) - truth)
        assert (missed <= (operator.roundings + 1) * UNIT * abs(truth)).all(), seed
    assert counted >= 40


def test_normalised_weights_are_certified() -> None:
    """As exporters write a weight normalisation: g v / |v|, along the columns."""
    nodes = [
        node("ReduceL2", ["v"], ["n"], axes=[1]),
        node("Div", ["v", "n"], ["d"]),
        node("Mul", ["d", "g"], ["w"]),
        node("Gemm", ["x", "w"], ["h"], transB=1),
        node("Relu", ["h"], ["r"]),
        node("MatMul", ["r", "o"], ["y"]),
    ]
    v, g, o = weights(0, 5, 3), weights(1, 5, 1), weights(2, 5, 1)
    model = build(nodes, [1, 3], {"v": v, "g": g, "o": o})
    report = geolip.certify(model, norm="2", exact=True)
    assert report.trust == "exact"
    W = g * v / np.linalg.norm(v.astype(float), axis=1, keepdims=True)
    by_hand = geolip.certify([W, o.T.astype(float)], norm="2")
    assert report.bound == pytest.approx(by_hand.bound, rel=1e-6)


CANCELLING = {
    "differences": [node("Sub", ["s", "s"], ["c"])],
    "comparisons": [
        node("Greater", ["s", "u"], ["b"]),
        node("Where", ["b", "u", "s"], ["c"]),
    ],
    "functions": [node("Exp", ["u"], ["c"])],
    "narrow casts": [
        node("Cast", ["s"], ["h"], to=10),
        node("Cast", ["h"], ["c"], to=1),
    ],
}


@pytest.mark.parametrize("what", CANCELLING)
def test_where_nobody_counts_it_is_an_estimate(what: str) -> None:
    nodes = [
        node("Sqrt", ["u"], ["s"]),
        *CANCELLING[what],
        node("Mul", ["x", "c"], ["y"]),
    ]
    network = load(build(nodes, [4], {"u": abs(weights(0, 4))}))
    assert network.inexact == ("Mul 'y'",)


@pytest.mark.parametrize("beside", [1.0, np.nan])
def test_what_may_underflow_is_an_estimate(beside: float) -> None:
    nodes = [
        node("Mul", ["u", "u"], ["m"]),
        node("Mul", ["m", "large"], ["s"]),
        node("Slice", ["s", "start", "end"], ["c"]),
        node("Mul", ["x", "c"], ["y"]),
    ]
    stored = {
        "u": np.array([2.0**-500, beside]),
        "large": np.array(2.0**900),
        "start": integers(0),
        "end": integers(1),
    }
    model = build(nodes, [1], stored, element=TensorProto.DOUBLE)
    assert load(model).inexact == ("Mul 'y'",)


def test_biases_may_be_what_they_like() -> None:
    nodes = [
        node("Exp", ["u"], ["e"]),
        node("Sub", ["x", "e"], ["a"]),
        node("Max", ["a", "e"], ["b"]),
        node("Gemm", ["b", "w", "e"], ["y"]),
    ]
    model = build(nodes, [1, 4], {"u": weights(0, 4), "w": weights(1, 4, 4)})
    assert load(model).inexact == ()


def test_sums_count_every_addition() -> None:
    """Each of 63 halves of an ulp is lost beside the one."""
    column = np.full((64, 1), 2.0**-53)
    column[0] = 1.0
    nodes = [
        node("ReduceSum", ["c", "zero"], ["s"], keepdims=0),
        node("Mul", ["x", "s"], ["y"]),
    ]
    stored = {"c": np.repeat(column, 3, axis=1), "zero": integers(0)}
    model = build(nodes, [3], stored, element=TensorProto.DOUBLE)
    (operator,) = load(model).output.terms.values()
    truth = 1 + 63 * UNIT
    (entry,) = {Fraction(x) for x in np.diag(operator.dense())}
    assert truth - entry > 60 * UNIT
    assert truth - entry <= (operator.roundings + 1) * UNIT * truth


def test_differences_count_what_cancels() -> None:
    squares = 1 + np.abs(weights(0, 50))
    near = np.sqrt(squares.astype(float)).astype(np.float16).astype(np.float32)
    nodes = [
        node("Sqrt", ["u"], ["s"]),
        node("Sub", ["s", "v"], ["d"]),
        node("Mul", ["x", "d"], ["y"]),
    ]
    network = load(build(nodes, [50], {"u": squares, "v": near}))
    (operator,) = network.output.terms.values()
    truth = roots(exact(squares)) - exact(near)
    missed = abs(exact(np.diag(operator.dense())) - truth)
    relative = max(missed / abs(truth))
    assert not network.inexact
    assert 2**8 * UNIT < relative <= (operator.roundings + 1) * UNIT
