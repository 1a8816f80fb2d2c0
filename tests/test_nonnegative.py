"""Networks without negative weights: exact, by brute force and by the definition."""

from dataclasses import replace

import numpy as np
import pytest
from closed_forms import PAIRS, gaussian, k1, k4
from importer_models import build, node
from oracles import formal_constant, matrix_norms

from geolip import importer, methods, norms
from geolip.activations import leaky_relu, linear, relu, tanh
from geolip.bounds.nonnegative import has_negative_weights
from geolip.linear import Dense, add, compose, scaling
from geolip.methods import Label, Question
from geolip.sectors import LinearMap

METHOD = methods.get("nonnegative")


def positive(sizes, activation=relu):
    network = importer.load([np.abs(W) for W in gaussian(sizes)])
    blocks = (replace(block, activation=activation()) for block in network.blocks)
    return replace(network, blocks=tuple(blocks))


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("activation", [relu, lambda: leaky_relu(0.1)])
def test_it_is_the_norm_of_the_product_and_brute_force_agrees(activation, pair):
    pair = norms.parse(pair)
    network = positive((3, 4, 5, 2), activation)
    answer = METHOD.answer(Question(network, pair))
    product = np.linalg.multi_dot([np.abs(W) for W in gaussian((3, 4, 5, 2))][::-1])
    assert answer.label is Label.EXACT
    assert answer.value == pytest.approx(matrix_norms(product[None], pair)[0])
    assert answer.value == pytest.approx(formal_constant(network.sectors(), pair))


@pytest.mark.parametrize("pair", ["inf", "2"])
def test_it_is_the_slope_far_up_and_k4_and_at_most_k1(pair):
    network, pair = positive((4, 6, 6, 3)), norms.parse(pair)
    value = METHOD.answer(Question(network, pair)).value
    far = 1e6 * np.ones((4, 1))
    step = pair.input.aligned(np.ones((4, 1)))
    moved = network.evaluate(far + step) - network.evaluate(far)
    assert pair.output.of(moved)[0] <= value * (1 + 1e-9)
    assert k4(network.sectors(), pair) == pytest.approx(value)
    assert value <= k1(network.sectors(), pair) * (1 + 1e-12)


def test_a_graph_with_a_shortcut_is_exact():
    nodes = [
        node("MatMul", ["x", "v"], ["h"]),
        node("Relu", ["h"], ["r"]),
        node("Add", ["r", "x"], ["s"]),
        node("MatMul", ["s", "w"], ["y"]),
    ]
    v, w = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0], [6.0]])
    numbers = {"v": v.astype(np.float32), "w": w.astype(np.float32)}
    network = importer.load(build(nodes, (1, 2), numbers))
    answer = METHOD.answer(Question(network, norms.parse("inf")))
    assert answer.value == pytest.approx(float(np.abs(w.T @ (v.T + np.eye(2))).sum()))
    assert answer.label is Label.EXACT


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (importer.load(gaussian((2, 3, 1))), "negative"),
        (positive((2, 3, 1), tanh), "Tanh of 'relu_1'"),
        (positive((2, 3, 1), lambda: leaky_relu(2.0)), "LeakyRelu"),
        (positive((2, 3, 1), lambda: leaky_relu(-2.0)), "LeakyRelu"),
    ],
)
def test_others_are_refused(network, reason):
    assert reason in METHOD.refusal(Question(network, norms.parse("inf")))


def test_a_negative_number_is_found_in_any_factor_and_term():
    ones, minus = Dense(np.ones((2, 2))), scaling(np.array([1.0, -1e-300]))
    sectors = positive((2, 2, 2)).sectors()
    for operator, negative in [
        (ones, False),
        (minus, True),
        (compose(minus, ones), True),
        (compose(minus, minus), True),
        (add(ones, minus), True),
        (add(ones, ones), False),
    ]:
        network = replace(sectors, output=LinearMap(2, {1: operator}))
        assert has_negative_weights(network) is negative


def test_linear_layers_are_at_their_steepest():
    network = positive((2, 3, 1), lambda: linear("Max"))
    assert METHOD.refusal(Question(network, norms.parse("2"))) is None
