"""Multipliers in one pass: tables, brute force for any sector, orders, refusals."""

import numpy as np
import pytest
from closed_forms import gaussian
from generators import chain, random_chain
from importer_models import build, node, weights
from oracles import formal_constant

from geolip import importer, methods, norms
from geolip.backend import Settings, get
from geolip.bounds.eclipse import closed_form, multipliers, sequential
from geolip.bounds.norm_product import norm_product
from geolip.errors import CertificationError
from geolip.incumbent import Incumbent
from geolip.methods import Question
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.verify import round_multipliers, verified_bound

PAIR = norms.parse("2")

# Sizes of layers; the closed form, then LipSDP-Neuron.
TABLE = {
    (4, 6, 1): (4.3360, 3.8806),
    (6, 8, 1): (8.8146, 6.7895),
    (5, 5, 5, 1): (14.7083, 10.9061),
    (3, 4, 4, 4, 1): (24.9543, 13.5885),
    (4, 6, 3): (7.9418, 7.2680),
    (4, 5, 5, 3): (19.1463, 14.2340),
    (3, 4, 4, 4, 2): (26.9161, 14.9814),
}


def solved(problem, accuracy=1e-5):
    judge = Incumbent(problem, accuracy=accuracy)
    solution = get("auto").solve(problem, Settings(accuracy=accuracy), judge)
    judge.consider(solution.multipliers, solution.value)
    judge.settle()
    return judge


def bound(network, step):
    problem = Problem(network, PAIR.input)
    return verified_bound(problem, round_multipliers(multipliers(network, step)))


def by_programs():
    return sequential(lambda problem: solved(problem).multipliers)


@pytest.mark.parametrize("sizes", TABLE)
def test_values_are_those_of_the_table(sizes):
    question = Question(importer.load(gaussian(sizes)), PAIR)
    fast, neuron = TABLE[sizes]
    assert methods.get("eclipse_fast").answer(question).value == pytest.approx(
        fast, abs=5.1e-5
    )
    value = methods.get("eclipse").answer(question).value
    assert neuron - 5.1e-5 <= value <= fast
    if len(sizes) == 3:
        assert value == pytest.approx(neuron, rel=2e-4)


def test_the_formula_is_the_recursion_of_the_definition():
    for seed in range(10):
        random = np.random.default_rng(seed)
        sizes = random.integers(1, 7, random.integers(2, 6))
        first, *others = gaussian(sizes)
        X = first @ first.T
        for W in others:
            largest = np.linalg.norm(X, 2)
            M = 2 / largest * np.eye(len(X)) - X / largest**2
            X = W @ np.linalg.inv(M) @ W.T
        value = bound(chain([first, *others]), closed_form)
        assert value == pytest.approx(np.linalg.norm(X, 2) ** 0.5, rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_both_are_between_lipsdp_and_the_norm_product(seed):
    network = reduce(random_chain(np.random.default_rng(seed), 9, 2)).network
    exact = formal_constant(network, PAIR)
    neuron = solved(Problem(network, PAIR.input)).bound
    fast, slow = bound(network, closed_form), bound(network, by_programs())
    assert exact <= fast
    assert exact <= slow
    assert neuron <= min(fast, slow) * (1 + 2e-5)
    if all((block.lower == 0).all() for block in network.blocks):
        assert fast <= norm_product(network, PAIR) * (1 + 1e-6)


@pytest.mark.parametrize("name", ["eclipse", "eclipse_fast"])
def test_other_norms_and_graphs_are_refused(name):
    method = methods.get(name)
    network = importer.load(gaussian((4, 5, 3)))
    assert method.refusal(Question(network, PAIR)) is None
    assert "2:2" in method.refusal(Question(network, norms.parse("inf")))
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("MatMul", ["r", "w"], ["h"]),
        node("Relu", ["h"], ["s"]),
        node("Add", ["x", "s"], ["y"]),
    ]
    graph = importer.load(build(nodes, (1, 2), {"w": weights(0, 2, 2)}))
    assert "takes chains" in method.refusal(Question(graph, PAIR))


def test_multipliers_out_of_float64_prove_nothing():
    network = importer.load([1e55 * W for W in gaussian((2, 3, 3, 3, 1))])
    with pytest.raises(CertificationError, match="rescale"):
        methods.get("eclipse_fast").answer(Question(network, PAIR))
