"""Formulations as published have the values of the same bounds in the package."""

from itertools import pairwise

import numpy as np
import published
import pytest
from cli_runs import MODELS
from generators import chain
from oracles import formal_constant
from published import Chain

from geolip import importer, methods, norms
from geolip.backend import Settings
from geolip.methods import Question

# Sizes; FGL and the values of GeoLIP's dual in l_inf, of LipSDP-Neuron and -Layer in
# l_2: by brute force and an interior point method, for `drawn` matrices.
TABLE = (
    ([4, 6, 1], 7.1312, 3.8806, 4.3062),
    ([6, 8, 1], 14.1564, 6.7895, 7.8529),
    ([5, 5, 5, 1], 20.5317, 10.9061, 13.1952),
    ([3, 4, 4, 4, 1], 23.4322, 13.5885, 18.6677),
)
SAME = {
    ("geolip", "dual"): "geolip_dual",
    ("geolip", "natural"): "geolip_natural",
    ("lipsdp", "neuron"): "lipsdp_neuron",
    ("lipsdp", "layer"): "lipsdp_layer",
    ("lipsdp", "split"): "lipsdp_split",
}


def drawn(sizes: list[int], seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.standard_normal((m, n)) for n, m in pairwise(sizes)]


def value(paper: str, form: str, chain: Chain) -> float:
    found = published.get(paper)
    assert found.refusal(form, chain) is None
    return found.FORMS[form](chain, "CLARABEL")


@pytest.mark.parametrize(("sizes", "dual", "neuron", "layer"), TABLE)
def test_recomputed_tables(
    sizes: list[int], dual: float, neuron: float, layer: float
) -> None:
    network = Chain(drawn(sizes), 0.0, 1.0)
    assert value("geolip", "dual", network) == pytest.approx(dual, abs=1e-4)
    assert value("lipsdp", "neuron", network) == pytest.approx(neuron, abs=1e-4)
    assert value("lipsdp", "layer", network) == pytest.approx(layer, abs=1e-4)


def test_every_form_is_compared() -> None:
    forms = [(p, f) for p in published.names() for f in published.get(p).FORMS]
    assert sorted(forms) == sorted(SAME)


@pytest.mark.parametrize(("form", "method"), SAME.items())
@pytest.mark.parametrize("sizes", [[4, 6, 2], [3, 5, 4, 4, 2]])
def test_same_value_as_the_package(
    form: tuple[str, str], method: str, sizes: list[int]
) -> None:
    weights, paper = drawn(sizes, seed=1), published.get(form[0])
    network, pair = importer.load(weights), norms.parse(paper.NORM)
    question = Question(network, pair, Settings(accuracy=1e-6))
    published_chain = published.chain(network)
    refuses = paper.refusal(form[1], published_chain) is not None
    if refuses:
        # What cannot be split is its own only part; two layers are asked for there.
        assert form[1] == ("split" if len(sizes) == 3 else "natural")
        return
    assert methods.get(method).refusal(question) is None
    ours = methods.get(method).answer(question).value
    assert value(*form, published_chain) == pytest.approx(ours, rel=1e-3)


@pytest.mark.parametrize("form", ["neuron", "layer", "split"])
@pytest.mark.parametrize("sector", [(0.0, 1.0), (-0.13, 1.13), (0.0, 0.25)])
def test_lipsdp_is_not_below_the_formal_constant(
    form: str, sector: tuple[float, float]
) -> None:
    weights = drawn([3, 4, 4, 3, 2], seed=2)
    truth = formal_constant(chain(weights, sector), norms.parse("2"))
    assert value("lipsdp", form, Chain(weights, *sector)) >= truth * (1 - 1e-6)


def test_what_is_no_chain_is_refused() -> None:
    network = importer.load(MODELS / "digits_conv.onnx")
    assert published.chain(network) is None
    sigmoid = published.chain(importer.load(MODELS / "digits_sigmoid.onnx"))
    assert (sigmoid.lower, sigmoid.upper) == (0.0, 0.25)
    assert "slopes" in published.get("geolip").refusal("dual", sigmoid)
