"""The whole way from a model to a report, on networks whose constant is known."""

import math

import numpy as np
import onnx
import pytest
from generators import chain, random_weights
from onnx import TensorProto, helper, numpy_helper
from oracles import formal_constant

from geolip import certify, norms
from geolip.errors import CertificationError, UsageError


def as_onnx(weights, activation="Relu"):
    """Return the ONNX model of weight matrices, float64, activations in between."""
    nodes, tensors, value = [], [], "input"
    for k, W in enumerate(weights):
        tensors.append(numpy_helper.from_array(np.asarray(W, dtype=float), f"W{k}"))
        last = k == len(weights) - 1
        made = "output" if last else f"z{k}"
        nodes.append(helper.make_node("Gemm", [value, f"W{k}"], [made], transB=1))
        if not last:
            value = f"y{k}"
            nodes.append(helper.make_node(activation, [made], [value], name=value))
    sizes = np.shape(weights[0])[1], np.shape(weights[-1])[0]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["batch", size])
        for name, size in zip(("input", "output"), sizes, strict=True)
    ]
    graph = helper.make_graph(nodes, "test", ends[:1], ends[1:], tensors)
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.checker.check_model(model)
    return model


def check(weights, exact=None, **options):
    """Certify in all norms and compare with brute force; return the bounds by norm."""
    bounds = {}
    for norm in ("inf", "2", "2:inf", "inf:2"):
        pair = norms.parse(norm)
        known = exact[norm] if exact else formal_constant(chain(weights), pair)
        report = certify(weights, norm, accuracy=1e-6, **options)
        assert report.bound >= known
        assert report.lower_bound <= known * (1 + 1e-12)
        assert report.fgl_lower_bound <= report.bound
        bounds[norm] = report.bound
    return bounds


RANDOM = np.random.default_rng(0)
HIDDEN = RANDOM.standard_normal((4, 3))
LAST = RANDOM.standard_normal((2, 4))
MIDDLE = RANDOM.standard_normal((4, 4))


def without(W, *, row=None, column=None):
    W = W.copy()
    W[
        row if row is not None else slice(None), column if column is not None else ...
    ] = 0
    return W


EDGES = {
    "one hidden layer": [HIDDEN, LAST],
    "one neuron": [np.array([[2.0]]), np.array([[-3.0]])],
    "one neuron, many inputs": [HIDDEN[:1], LAST[:, :1]],
    "dead neuron: a zero row": [without(HIDDEN, row=1), MIDDLE, LAST],
    "unread neuron: a zero column": [HIDDEN, without(MIDDLE, column=2), LAST],
    "unused input": [without(HIDDEN, column=0), LAST],
    "output that is constant": [HIDDEN, without(LAST, row=0)],
    "row that reads one neuron": [HIDDEN, np.array([[0, 0, 1.5, 0], [1.0, 1, 1, 1]])],
    "cascade of dead neurons": [
        without(HIDDEN, row=1),
        np.diag([1.0, 1.0, 0.0, 1.0]),
        LAST,
    ],
    "duplicated neurons": [np.vstack([HIDDEN, HIDDEN]), np.hstack([LAST, -LAST])],
    "equal rows and opposite rows": [
        np.vstack([HIDDEN, -HIDDEN]),
        np.hstack([LAST] * 2),
    ],
    "rank one": [np.ones((5, 3)), np.ones((4, 5)), np.ones((2, 4))],
}


@pytest.mark.parametrize("name", EDGES)
def test_edge_cases_against_brute_force(name):
    weights = EDGES[name]
    bounds = check(weights)
    for norm, bound in bounds.items():
        exact = formal_constant(chain(weights), norms.parse(norm))
        # No relaxation of networks this small is off by more than a factor of two.
        assert exact <= bound <= 2.0 * exact


def test_no_hidden_layer_is_exact():
    W = RANDOM.standard_normal((3, 5))
    bounds = check([W])
    assert bounds["inf"] == pytest.approx(np.abs(W).sum(axis=1).max(), rel=1e-9)
    assert bounds["2"] == pytest.approx(np.linalg.norm(W, 2), rel=1e-9)
    assert bounds["2:inf"] == pytest.approx(np.linalg.norm(W, axis=1).max(), rel=1e-9)


@pytest.mark.parametrize("where", [0, 1, 2])
def test_zero_layers_give_exactly_zero(where):
    weights = [HIDDEN, MIDDLE, LAST]
    weights[where] = np.zeros_like(weights[where])
    for norm in ("inf", "2"):
        report = certify(weights, norm)
        assert report.bound == report.lower_bound == 0.0
        assert report.outputs[0].gap == 0.0


@pytest.mark.parametrize(
    "factors",
    [(1e-30, 1, 1), (1e30, 1, 1), (1, 1, 1e-30), (1e30, 1e-30, 1), (1e-30, 1e30, 1e30)],
)
def test_weights_of_all_sizes(factors):
    weights = [HIDDEN, MIDDLE, LAST]
    scaled = [f * W for f, W in zip(factors, weights, strict=True)]
    scale = float(np.prod(factors))
    for norm in ("inf", "2"):
        exact = formal_constant(chain(weights), norms.parse(norm))
        report = certify(scaled, norm, accuracy=1e-6)
        assert report.bound >= exact * scale
        assert report.bound <= 1.2 * exact * scale
        assert report.lower_bound <= exact * scale * (1 + 1e-12)


@pytest.mark.parametrize("solver", ["scs", "clarabel"])
@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_other_solvers_see_numbers_near_one(solver, factor):
    """Rescaling by powers of two lets solvers work on any weights."""
    weights = [factor * HIDDEN, LAST]
    expected = certify([HIDDEN, LAST], "inf", accuracy=1e-6).bound
    report = certify(weights, "inf", solver=solver, accuracy=1e-6)
    assert report.bound == pytest.approx(factor * expected, rel=1e-3)


def test_mixed_sizes_inside_a_layer():
    weights = [
        np.diag([1e-30, 1.0, 1e30]) @ RANDOM.standard_normal((3, 3)),
        LAST[:, :3],
    ]
    check(weights)


@pytest.mark.parametrize("size", [1e-200, 1e200, np.nan, np.inf])
def test_weights_beyond_the_accepted_sizes_are_refused(size):
    with pytest.raises(UsageError, match="entr"):
        certify([size * np.abs(HIDDEN), LAST])


@pytest.mark.parametrize("size", [1e-55, 1e-30])
@pytest.mark.parametrize("depth", [2, 6, 12])
def test_tiny_constants_are_never_rounded_to_zero(size, depth):
    """A product of non-negative weights, though it leave float64's range on the way."""
    weights = [np.array([[size]])] * depth + [np.array([[1e50]])] * 3
    for norm in ("inf", "2"):
        report = certify(weights, norm)
        assert report.bound > 0
        assert math.log10(report.bound) >= math.log10(size) * depth + 150 - 1e-6


def test_norms_that_overflow_are_one_error():
    weights = [1e55 * HIDDEN, *[1e55 * MIDDLE] * 6, LAST]
    with pytest.raises(CertificationError, match="rescale"):
        certify(weights, "inf")


def test_onnx_and_matrices_are_the_same_network():
    weights = random_weights(np.random.default_rng(5), 2, 12, 3)
    for norm in ("inf", "2"):
        one = certify(weights, norm, accuracy=1e-6)
        other = certify(as_onnx(weights), norm, accuracy=1e-6)
        assert one.bound == other.bound
        assert one.relaxation_value == other.relaxation_value


@pytest.mark.parametrize(("activation", "slope"), [("Sigmoid", 0.25), ("Tanh", 1.0)])
def test_sigmoids_bring_their_own_sector(activation, slope):
    weights = [np.abs(W) for W in random_weights(np.random.default_rng(1), 2, 10, 1)]
    exact = np.abs(slope**2 * weights[2] @ weights[1] @ weights[0]).sum()
    report = certify(as_onnx(weights, activation), "inf", accuracy=1e-7)
    assert exact <= report.bound <= exact * (1 + 1e-6)
    # All pre-activations are zero at the origin, where the slope is largest.
    assert report.fgl_lower_bound == pytest.approx(exact, rel=1e-9)


def test_rows_are_a_choice_of_outputs():
    weights = random_weights(np.random.default_rng(2), 2, 10, 4)
    whole = certify(weights, "inf")
    part = certify(weights, "inf", rows=[2, 0])
    assert [o.index for o in part.outputs] == [2, 0]
    assert part.outputs[0].bound == whole.outputs[2].bound
    assert whole.bound == max(o.bound for o in whole.outputs)


def test_time_limit_is_kept_and_every_row_has_a_bound():
    weights = random_weights(np.random.default_rng(3), 4, 60, 6)
    report = certify(weights, "inf", accuracy=1e-12, time_limit=1e-3)
    assert len(report.outputs) == 6
    assert all(np.isfinite(o.bound) for o in report.outputs)
    assert any("time limit" in output.status for output in report.outputs)


def test_progress_is_reported():
    lines = []
    certify(EDGES["one hidden layer"], "inf", progress=lines.append)
    assert any("iteration" in str(line) and "gap" in str(line) for line in lines)


def test_stage_seconds_add_up():
    seconds = certify(EDGES["rank one"], "2").seconds
    stages = sum(s for name, s in seconds.items() if name != "total")
    assert 0 < stages <= seconds["total"]


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "3"},
        {"norm": "inf:1:2"},
        {"method": "nothing"},
        {"method": "lipsdp", "norm": "inf"},
        {"solver": "nothing"},
        {"accuracy": 0.0},
        {"accuracy": float("nan")},
        {"time_limit": -1.0},
        {"rows": [7]},
        {"rows": []},
        {"rows": [0], "norm": "2"},
        {"solver_options": {"no_such": 1}},
        {"solver_options": {"rank": "many"}},
    ],
)
def test_wrong_calls_are_usage_errors(options):
    with pytest.raises(UsageError):
        certify([HIDDEN, LAST], **options)


@pytest.mark.parametrize("model", [3, None, object(), [], [np.zeros((0, 3))], ["x"]])
def test_wrong_models_are_usage_errors(model):
    with pytest.raises(UsageError):
        certify(model)
