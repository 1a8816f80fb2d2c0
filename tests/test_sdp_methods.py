"""The methods by semidefinite relaxation: tables, closed forms and each other."""

from itertools import pairwise

import cvxpy as cp
import numpy as np
import pytest
from generators import chain, random_chain, random_graph
from oracles import formal_constant, product_of_norms

from geolip import backend, importer, layered, methods, natural, norms, settling
from geolip.backend import Settings, Status
from geolip.methods import Label, Question

FINE = Settings(accuracy=1e-7)


def gaussian(sizes, seed=0):
    random = np.random.default_rng(seed)
    return [random.standard_normal((m, n)) for n, m in pairwise(sizes)]


def value(name, weights, norm, settings=FINE):
    question = Question(importer.load(weights), norms.parse(norm), settings)
    method = methods.get(name)
    assert method.refusal(question) is None
    answer = method.answer(question)
    assert answer.label is Label.CERTIFIED
    return answer.value


def refusal(name, weights, norm):
    return methods.get(name).refusal(
        Question(importer.load(weights), norms.parse(norm))
    )


# Recomputed by an interior-point solver from the published programs.
TABLE = [
    ((4, 6, 1), 7.1312, 7.9596, 8.6124, 3.8806, 4.3062),
    ((6, 8, 1), 14.1564, 16.4738, 19.2357, 6.7895, 7.8529),
    ((5, 5, 5, 1), 20.5317, 24.2176, 29.5054, 10.9061, 13.1952),
    ((3, 4, 4, 4, 1), 23.4322, 32.2520, 32.3334, 13.5885, 18.6677),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(map(str, row[0])))
def test_values_of_one_output(row):
    sizes, dual, layer, both, neuron, lipsdp_layer = row
    weights = gaussian(sizes)
    for name, norm, expected in [
        ("geolip_dual", "inf", dual),
        ("geolip_layer", "inf", layer),
        ("geolip_layer_input", "inf", both),
        ("lipsdp_neuron", "2", neuron),
        ("lipsdp_layer", "2", lipsdp_layer),
    ]:
        assert value(name, weights, norm) == pytest.approx(expected, rel=1e-5), name


@pytest.mark.parametrize(
    ("sizes", "neuron"),
    [((4, 6, 3), 7.2680), ((4, 5, 5, 3), 14.2340), ((3, 4, 4, 4, 2), 14.9814)],
)
def test_values_of_several_outputs(sizes, neuron):
    assert value("lipsdp_neuron", gaussian(sizes), "2") == pytest.approx(neuron, 1e-5)


def nonnegative():
    """Return weights of the shape of LipSDP's example, so that FGL is known."""
    return [np.abs(W) for W in gaussian((2, 10, 30, 20, 2), seed=3)]


def test_the_shape_of_lipsdps_example():
    weights = nonnegative()
    exact = np.linalg.norm(np.linalg.multi_dot(weights[::-1]), 2)
    neuron = value("lipsdp_neuron", weights, "2")
    split = value("lipsdp_split", weights, "2")
    layer = value("lipsdp_layer", weights, "2")
    assert neuron == pytest.approx(exact, rel=1e-6)
    front = np.linalg.norm(weights[1] @ weights[0], 2)
    back = np.linalg.norm(weights[3] @ weights[2], 2)
    assert split == pytest.approx(front * back, rel=1e-6)
    assert neuron < split < layer < product_of_norms(weights, 2)


def layer_by_cvxpy(weights, norm):
    """Return the optimum with one multiplier a layer, from the published matrices."""
    sizes = [W.shape[1] for W in weights]
    ends = np.cumsum([0, *sizes])
    tau = cp.Variable(sizes[0], nonneg=True)
    g = cp.Variable()
    d = cp.Variable(len(sizes) - 1, nonneg=True)
    select = [np.eye(ends[-1])[a:b] for a, b in pairwise(ends)]
    B = select[0].T @ cp.diag(tau) @ select[0]
    for k, W in enumerate(weights[:-1]):
        z, y = W @ select[k], select[k + 1]
        B = B + d[k] * (2 * y.T @ y - z.T @ y - y.T @ z)
    C = weights[-1] @ select[-1]
    S = cp.bmat([[g * np.eye(len(C)), -C], [-C.T, B]])
    limits = [S >> 0] if norm == "inf" else [S >> 0, tau == tau[0]]
    budget = cp.sum(tau) if norm == "inf" else tau[0]
    task = cp.Problem(cp.Minimize((g + budget) / 2), limits)
    return float(task.solve(solver="CLARABEL"))


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("sizes", [(3, 5, 2), (4, 6, 5, 3), (2, 3, 4, 3, 2)])
def test_one_multiplier_a_layer_is_the_optimum(sizes, norm):
    weights = gaussian(sizes, seed=7)
    network, pair = chain(weights), norms.parse(f"{norm}:2")
    found = settling.settled(network, pair, FINE, layered)
    assert found.status is Status.SOLVED
    assert found.bound == pytest.approx(layer_by_cvxpy(weights, norm), rel=1e-5)


@pytest.mark.parametrize("make", [random_chain, random_graph])
@pytest.mark.parametrize("pair", ["inf", "2", "inf:2", "2:1", "1"])
def test_order_with_any_sectors_and_links(make, pair):
    for seed in range(6):
        network = make(np.random.default_rng([seed, 5]), neurons=6, outputs=2)
        truth = formal_constant(network, norms.parse(pair))
        auto = backend.get("auto")
        bounds = [
            settling.settled(network, norms.parse(pair), FINE, engine).bound
            for engine in (auto, layered)
        ]
        assert truth <= bounds[0] * (1 + 1e-12)
        assert bounds[0] <= bounds[1] * (1 + 1e-6)


@pytest.mark.parametrize("pair", ["inf", "2:inf"])
def test_natural_equals_the_dual(pair):
    for seed in range(8):
        random = np.random.default_rng([seed, 9])
        network = random_chain(random, neurons=7, outputs=2, depth=1)
        norm = norms.parse(pair)
        dual = settling.settled(network, norm, FINE, backend.get("auto")).bound
        found = settling.settled(network, norm, FINE, natural).bound
        assert found == pytest.approx(dual, rel=1e-5)
        # Grothendieck's constant in l_inf, the root of pi / 2 in l_2.
        most = 1.7823 if pair == "inf" else 1.2534
        assert found <= most * formal_constant(network, norm) * (1 + 1e-6)


def test_one_multiplier_a_layer_may_be_above_the_norm_product():
    # Neurons that nothing reads would be left out.
    weights = [np.ones((16, 1)), np.eye(1, 16) + 1e-7]
    assert value("geolip_layer", weights, "inf") == pytest.approx(2.5, rel=1e-4)
    assert product_of_norms(weights, np.inf) == pytest.approx(1.0, rel=1e-4)


def test_with_slopes_from_minus_one_a_layer_is_its_norm():
    """What one multiplier says of a layer then is ``|y| <= |z|``, for all in l_2."""
    weights = gaussian((3, 5, 4, 2), seed=11)
    found = settling.settled(
        chain(weights, (-1.0, 1.0)), norms.parse("2"), FINE, layered
    )
    assert found.bound == pytest.approx(product_of_norms(weights, 2), rel=1e-6)


def test_deep_chains_are_solved_too():
    weights = [W / 4 for W in gaussian((10, *[16] * 11, 2), seed=2)]
    found = settling.settled(chain(weights), norms.parse("2"), Settings(), layered)
    assert found.status is Status.SOLVED


def test_a_linear_network_is_no_exception():
    W = gaussian((3, 2))
    for name in ("geolip_dual", "geolip_layer"):
        bound = value(name, W, "inf")
        assert bound == pytest.approx(np.abs(W[0]).sum(axis=1).max(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "sizes", "norm", "part"),
    [
        ("geolip_dual", (3, 4, 2), "2", "not l_2"),
        ("geolip_layer", (3, 4, 2), "2:inf", "not l_2"),
        ("lipsdp_neuron", (3, 4, 2), "inf", "not l_inf"),
        ("lipsdp_split", (3, 4, 2), "inf", "not l_inf"),
        ("lipsdp_split", (3, 4, 2), "2", "cut"),
        ("geolip_natural", (3, 4, 2), "2", "one output"),
        ("geolip_natural", (3, 4, 4, 2), "inf", "one layer"),
    ],
)
def test_refusals_are_one_line(name, sizes, norm, part):
    reason = refusal(name, gaussian(sizes), norm)
    assert part in reason
    assert "\n" not in reason


@pytest.mark.parametrize("name", ["geolip_dual", "geolip_layer", "lipsdp_layer"])
def test_matrices_that_do_not_fit_are_refused(name, monkeypatch):
    monkeypatch.setattr("geolip.memory.fits", lambda numbers: False)
    norm = "2" if name.startswith("lipsdp") else "inf"
    assert "do not fit" in refusal(name, gaussian((3, 4, 2)), norm)


@pytest.mark.parametrize("name", ["geolip_dual", "geolip_layer", "geolip_natural"])
@pytest.mark.parametrize("norm", ["inf", "1:inf", "inf:1", "1"])
def test_a_bound_is_there_when_time_is_over(name, norm):
    weights = gaussian((5, 6, 1 if name == "geolip_natural" else 3))
    bound = value(name, weights, norm, Settings(time_limit=1e-9))
    truth = formal_constant(chain(weights), norms.parse(norm))
    assert truth * (1 - 1e-9) <= bound < 1e3 * truth
