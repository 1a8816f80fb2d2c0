"""Orderings and symmetries of the methods, on the same small networks."""

from itertools import pairwise

import numpy as np
import pytest

from geolip import importer, methods, norms
from geolip.methods import Question

# What solvers leave open, and what rounding adds to closed forms.
GAP, ROUNDING = 3e-4, 1e-9

CLOSED = ("norm_product", "combettes_pesquet", "k3", "k4")

# Each chain is of values that do not fall, for outputs, norm and inputs of any network.
CHAINS = {
    "one output, l_inf": (1, "inf", ["secants", "fgl", "geolip_dual", "k4", "k3"]),
    "one output, l_inf, norms": (
        1,
        "inf",
        ["gradient", "fgl", "k4", "combettes_pesquet", "norm_product"],
    ),
    "multipliers shared, l_inf": (
        1,
        "inf",
        ["geolip_dual", "geolip_layer", "geolip_layer_input"],
    ),
    "l_inf": (3, "inf", ["pattern", "k4", "combettes_pesquet", "norm_product"]),
    "l_inf, entries": (3, "inf", ["sampled", "k4", "k3", "norm_product"]),
    "l_1": (3, "1", ["pattern", "k4", "combettes_pesquet", "norm_product"]),
    "l_1, entries": (3, "1", ["sampled", "k4", "k3", "norm_product"]),
    "l_2": (
        3,
        "2",
        ["gradient", "lipsdp_neuron", "lipsdp_layer", "eclipse_fast", "norm_product"],
    ),
    "l_2, norms": (2, "2", ["lipsdp_neuron", "combettes_pesquet", "norm_product"]),
    "l_2, entries": (2, "2", ["lipsdp_neuron", "k4", "k3"]),
    "l_2, layer by layer": (2, "2", ["lipsdp_neuron", "eclipse"]),
    "l_2, split": (2, "2", ["lipsdp_neuron", "lipsdp_split", "norm_product"]),
    "l_2, factors": (2, "2", ["pattern", "seqlip_certified", "norm_product"]),
}


def draw(seed, outputs, layers=None):
    random = np.random.default_rng([seed, outputs])
    hidden = random.integers(1, 6, layers or int(random.integers(1, 5)))
    sizes = [int(random.integers(1, 6)), *hidden, outputs]
    return [random.standard_normal((m, n)) for n, m in pairwise(sizes)]


def value(name, weights, norm):
    question = Question(importer.load(weights), norms.parse(norm))
    method = methods.get(name)
    return None if method.refusal(question) else method.answer(question).value


def check_chain(what, seed):
    outputs, norm, names = CHAINS[what]
    weights = draw(seed, outputs)
    values = [value(name, weights, norm) for name in names]
    known = [(n, v) for n, v in zip(names, values, strict=True) if v is not None]
    assert len(known) >= 2 or "lipsdp_split" in names
    for (lower, least), (upper, most) in pairwise(known):
        assert least <= most * (1 + GAP), f"{lower} {least} above {upper} {most}"


@pytest.mark.parametrize("what", CHAINS)
@pytest.mark.parametrize("seed", range(3))
def test_values_do_not_fall(what, seed):
    check_chain(what, seed)


@pytest.mark.slow
@pytest.mark.parametrize("what", CHAINS)
@pytest.mark.parametrize("seed", range(3, 153))
def test_values_do_not_fall_on_many(what, seed):
    check_chain(what, seed)


@pytest.mark.parametrize("pair", [f"{p}:{q}" for p in norms.NORMS for q in norms.NORMS])
@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_follow_what_is_done_to_the_weights(name, pair):
    weights = draw(1, 3, layers=3)
    found = value(name, weights, pair)
    # Every matrix matters.
    for k, W in enumerate(weights):
        scaled = [*weights[:k], 100 * W, *weights[k + 1 :]]
        assert value(name, scaled, pair) == pytest.approx(100 * found, rel=ROUNDING)
    moved = [weights[0] / 64, 4 * weights[1], 16 * weights[2], weights[3]]
    assert value(name, moved, pair) == pytest.approx(found, rel=ROUNDING)
    order = np.random.default_rng(0).permutation(len(weights[1]))
    shuffled = [weights[0], weights[1][order], weights[2][:, order], weights[3]]
    assert value(name, shuffled, pair) == pytest.approx(found, rel=ROUNDING)
    signs = np.where(np.arange(weights[0].shape[1]) % 2, 1.0, -1.0)
    mirrored = [weights[0] * signs, *weights[1:-1], -weights[-1]]
    assert value(name, mirrored, pair) == pytest.approx(found, rel=ROUNDING)


@pytest.mark.parametrize("norm", ["1", "2", "inf"])
@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_do_not_change_when_all_is_transposed(name, norm):
    dual = {"1": "inf", "inf": "1", "2": "2"}[norm]
    weights = draw(2, 3, layers=3)
    transposed = [W.T for W in reversed(weights)]
    found = value(name, weights, norm)
    assert value(name, transposed, dual) == pytest.approx(found, rel=ROUNDING)


@pytest.mark.parametrize("norm", ["1", "2", "inf"])
def test_without_negative_weights_many_are_the_exact_constant(norm):
    weights = [np.abs(W) for W in draw(5, 2, layers=2)]
    exact = value("nonnegative", weights, norm)
    for name in ("k3", "k4", "pattern", "fgl"):
        assert value(name, weights, norm) == pytest.approx(exact, rel=1e-5)
    if norm == "2":
        assert value("lipsdp_neuron", weights, norm) == pytest.approx(exact, rel=GAP)
