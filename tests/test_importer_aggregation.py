"""Norms along axes and log-sum-exp, as layers or as the last operator."""

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import build, node, weights

import geolip
from geolip import norms
from geolip.errors import ModelError, UnsupportedModelError
from geolip.importer import load

kinds = pytest.mark.parametrize("kind", ["ReduceL1", "ReduceL2", "ReduceLogSumExp"])
heads = pytest.mark.parametrize("kind", ["ReduceL2", "ReduceLogSumExp"])


def network(kind, axes=(1,)):
    nodes = [
        node("MatMul", ["x", "v"], ["h"]),
        node("Relu", ["h"], ["r"]),
        node("Reshape", ["r", "shape"], ["g"]),
        node(kind, ["g"], ["y"], axes=[*axes], keepdims=0),
    ]
    constants = {"v": weights(0, 4, 6), "shape": np.array([1, 3, 2])}
    return build(nodes, [1, 4], constants, opset=13)


@kinds
@pytest.mark.parametrize("keeps", [0, 1])
@pytest.mark.parametrize("axes", [[1], [0, -1], None])
def test_values_are_those_of_onnxruntime(kind, keeps, axes):
    chosen = {} if axes is None else {"axes": axes}
    operator = node(kind, ["x"], ["y"], keepdims=keeps, **chosen)
    assert_like_onnxruntime(build([operator], [2, 3, 4], opset=13), [2, 3, 4])


@kinds
@pytest.mark.parametrize("norm", ["inf", "2", "1", "2:inf", "inf:2"])
@pytest.mark.parametrize("axes", [(1,), (0, 1, 2)])
def test_bounds_hold(kind, norm, axes):
    model, pair = network(kind, axes), norms.parse(norm)
    report = geolip.certify(model, norm=norm, exact=True)
    assert report.trust == "exact"
    loaded, random = load(model), np.random.default_rng(0)
    largest = 0.0
    for size in (0.01, 1.0, 10.0):
        x = size * random.standard_normal((4, 2000))
        step = 1e-4 * size * pair.input.aligned(random.standard_normal(x.shape))
        moved = loaded.evaluate(x + step) - loaded.evaluate(x)
        largest = max(largest, (pair.output.of(moved) / pair.input.of(step)).max())
    # Differences are off by rounding.
    assert report.bound / 20 < largest <= report.bound * (1 + 1e-9)


@heads
@pytest.mark.parametrize("norm", ["1", "2", "inf"])
def test_constants_are_attained_or_approached(kind, norm):
    """Where all entries are equal, or one is far larger than the others."""
    model = build([node(kind, ["x"], ["y"], keepdims=0)], [1, 5], opset=13)
    head, pair = load(model).head, norms.parse(norm)
    ratios = []
    for z in (np.full((5, 1), 3.0), np.array([[90.0, 0, 0, 0, 0]]).T):
        for step in (np.full((5, 1), 1e-3), np.array([[1e-3, 0, 0, 0, 0]]).T):
            moved = head.function(z + step) - head.function(z)
            ratios.append(float(pair.output.of(moved)[0] / pair.input.of(step)[0]))
    assert max(ratios) == pytest.approx(head.constants[norm], rel=1e-6)


@heads
def test_it_has_to_be_last(kind):
    nodes = [node(kind, ["x"], ["s"]), node("Relu", ["s"], ["y"])]
    with pytest.raises(UnsupportedModelError, match="has to be last"):
        load(build(nodes, [1, 3], opset=13))


@kinds
def test_axes_that_do_not_fit(kind):
    for axes, why in (([1, -1], "name one axis twice"), ([2], "do not exist")):
        with pytest.raises(ModelError, match=why):
            load(build([node(kind, ["x"], ["y"], axes=axes)], [1, 3], opset=13))
