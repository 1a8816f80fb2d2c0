"""Faults that were there once, each with the smallest network that showed it."""

from fractions import Fraction

import numpy as np
import pytest
from generators import chain
from onnx import TensorProto, helper, numpy_helper
from oracles import formal_constant
from scipy.linalg import hadamard

from geolip import backend, certify, norms
from geolip.backend import Settings
from geolip.bounds.norm_product import norm_product
from geolip.errors import ModelError
from geolip.incumbent import Incumbent
from geolip.linear import Dense, add, identity
from geolip.multipliers import Multipliers
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.repair import mended
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork
from geolip.sweep import interior_point
from geolip.verify import verified_bound


def matmuls(*weights, relu_after=()):
    """Return the ONNX model of float32 MatMuls in a row."""
    nodes, tensors, value = [], [], "x"
    for k, W in enumerate(weights):
        tensors.append(numpy_helper.from_array(np.asarray(W, np.float32), f"W{k}"))
        last = k == len(weights) - 1
        made = "y" if last else f"z{k}"
        nodes.append(helper.make_node("MatMul", [value, f"W{k}"], [made]))
        value = made
        if k in relu_after:
            nodes.append(helper.make_node("Relu", [made], [f"a{k}"]))
            value = f"a{k}"
    sizes = {"x": np.shape(weights[0])[0], "y": np.shape(weights[-1])[1]}
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in sizes.items()
    ]
    graph = helper.make_graph(nodes, "test", ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@pytest.mark.parametrize("relu_after", [(), (1,)])
def test_weights_that_cancel_in_float64_do_not_vanish(relu_after):
    """The product is 1 in exact arithmetic and 0 in floating point."""
    up = [[1.0, 1.0, 1.0]]
    down = [[2.0**60], [1.0], [-(2.0**60)]]
    last = [[1.0]] if relu_after else None
    weights = [up, down, *([last] if last else [])]
    for norm in ("inf", "2"):
        assert certify(matmuls(*weights, relu_after=relu_after), norm).bound >= 1.0


def test_tiny_outputs_are_not_rounded_to_zero_by_the_verifier():
    problem = Problem(
        chain([np.ones((1, 1)), np.array([[2.0**-200]])]), norms.parse("inf").input
    )
    huge = np.array([1e200])
    bound = verified_bound(problem, Multipliers(huge, (huge,)))
    assert bound is None or bound >= 2.0**-200


def test_zero_times_overflow_is_zero_in_the_norm_product():
    """A chain that overflows into a zero matrix, beside the input itself."""
    one = np.ones(1)
    blocks = [
        SectorBlock(LinearMap(1, {k: Dense(np.array([[1e60]]))}), 0 * one, one)
        for k in range(6)
    ]
    output = LinearMap(1, {0: identity(1), 6: Dense(np.zeros((1, 1)))})
    network = SectorNetwork(1, tuple(blocks), output)
    with np.errstate(over="ignore"):
        product = norm_product(network, norms.parse("inf"))
    assert product == pytest.approx(1.0)


def test_a_bound_of_some_outputs_says_so():
    weights = [np.eye(2), np.diag([1.0, 5.0])]
    report = certify(weights, "inf", rows=[0])
    assert report.is_partial
    assert report.as_dict()["partial"] is True
    assert "of output 0 alone" in str(report)
    assert "alone" not in str(certify(weights, "inf"))


def settled(network, norm, solver="auto"):
    problem = Problem(reduce(network).network, norms.parse(norm).input)
    judge = Incumbent(problem, accuracy=1e-6)
    solution = backend.get(solver).solve(problem, Settings(1e-6), judge)
    return solution.value, judge.settle()


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_a_layer_that_dies_altogether_costs_nothing(norm):
    """Block 2 has zero weights; the solver's answer on the rest is kept."""
    random = np.random.default_rng(0)
    W, C = random.standard_normal((4, 3)), random.standard_normal((1, 4))
    ends = np.zeros(4), np.ones(4)
    blocks = (
        SectorBlock(LinearMap(4, {0: Dense(W)}), *ends),
        SectorBlock(LinearMap(4, {1: Dense(np.zeros((4, 4)))}), *ends),
    )
    output = LinearMap(1, {1: Dense(C), 2: Dense(C)})
    value, bound = settled(SectorNetwork(3, blocks, output), norm)
    assert bound == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_coordinates_that_die_out_under_l_2(norm):
    """relu(w (x - relu(x))) by coordinates: only the largest w matters in l_2."""
    w = np.array([3.0, 1.0, 0.5])
    ends = np.zeros(3), np.ones(3)
    blocks = (
        SectorBlock(LinearMap(3, {0: identity(3)}), *ends),
        SectorBlock(LinearMap(3, {0: Dense(np.diag(w)), 1: Dense(-np.diag(w))}), *ends),
    )
    rows = 1 if norm == "inf" else 3
    network = SectorNetwork(3, blocks, LinearMap(rows, {2: Dense(np.eye(3)[:rows])}))
    exact = formal_constant(network, norms.parse(f"{norm}:2"))
    value, bound = settled(network, norm)
    assert exact <= bound <= 1.2 * exact
    assert bound <= value * (1 + 1e-3)


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_neurons_whose_readings_cancel_exactly(norm):
    """relu(x - x) beside relu(x): not dead by structure, but it never moves."""
    ends = np.zeros(4), np.ones(4)
    kept, gone = np.vstack([np.eye(2), np.eye(2)]), np.diag([0.0, 0.0, 1.0, 1.0])
    reading = LinearMap(4, {0: add(Dense(kept), Dense(-gone @ kept))})
    rows = 1 if norm == "inf" else 2
    output = LinearMap(rows, {1: Dense(np.ones((rows, 4)))})
    network = SectorNetwork(2, (SectorBlock(reading, *ends),), output)
    exact = formal_constant(network, norms.parse(f"{norm}:2"))
    value, bound = settled(network, norm)
    assert exact <= bound <= value * (1 + 1e-4)


@pytest.mark.parametrize("norm", ["inf", "2:inf"])
def test_linear_maps_that_cancel_are_bounded_in_exact_arithmetic(norm):
    """One output of W2 W1 with large, nearly cancelling terms, against Fractions."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        W1 = random.standard_normal((3, 1)).astype(np.float32)
        big = random.standard_normal(3).astype(np.float32) * np.float32(1e8)
        # The last weight nearly cancels the others.
        big[2] = np.float32(-(big[0] * W1[0, 0] + big[1] * W1[1, 0]) / W1[2, 0])
        exact = abs(
            sum(
                Fraction(float(w)) * Fraction(float(v))
                for w, v in zip(big, W1[:, 0], strict=True)
            )
        )
        bound = certify(matmuls(W1.T, big[:, None]), norm).bound
        assert Fraction(bound) >= exact
        lower = certify(matmuls(W1.T, big[:, None]), norm).lower_bound
        assert Fraction(lower) <= exact


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_neurons_that_read_only_still_neurons(norm):
    """relu(x - x) and relu(x), read once more: nothing is divided by zero."""
    cancelled = add(Dense(np.array([[1.0], [1.0]])), Dense(np.array([[-1.0], [0.0]])))
    maps = [
        LinearMap(2, {0: cancelled}),
        LinearMap(2, {1: Dense(np.eye(2))}),
        LinearMap(1, {2: Dense(np.ones((1, 2)))}),
    ]
    ends = np.zeros(2), np.ones(2)
    blocks = tuple(SectorBlock(m, *ends) for m in maps[:2])
    problem = Problem(SectorNetwork(1, blocks, maps[2]), norms.parse(norm).input)
    judge = Incumbent(problem, accuracy=1e-6)
    point = backend.get("lifted").solve(problem, Settings(1e-6), judge)
    assert all(np.isfinite(part).all() for part in point.multipliers)
    assert point.value == pytest.approx(1.0, rel=1e-6)
    backend.get("auto").solve(problem, Settings(1e-6), judge)
    assert 1.0 <= judge.settle() <= 1.01


def test_repair_of_chains_with_huge_absolute_products():
    """|W| ... |W| squared leaves float64's range, the network itself does not."""
    W = hadamard(16) / 4.0
    problem = Problem(chain([W] * 270 + [W[:1]]), norms.parse("2").input)
    assert problem.magnitudes[-1].max() > 1e154
    assert mended(problem, interior_point(problem)) is not None


def test_products_that_underflow_on_the_way_are_refused():
    """Twelve layers in a row, tiny ones first: the whole product would be one."""
    tiny, large = np.array([[2.0**-120]]), np.array([[2.0**120]])
    with pytest.raises(ModelError, match="range"):
        certify(matmuls(*[tiny] * 9, *[large] * 9))
