"""Maxima, minima and sorting: against onnxruntime, and what is certified of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from imported_values import assert_like_onnxruntime
from importer_models import Arrays, build, integers, node, weights
from onnx import NodeProto

import geolip
from geolip import checking, norms
from geolip.bounds.norm_product import norm_product
from geolip.bounds.operator_norm import operator_norm
from geolip.errors import ModelError, UnsupportedModelError
from geolip.exact.layers import product_square
from geolip.importer import load
from geolip.importer.ops.sorting import merge_exchange

# One line each: what it tests, the shape of x, the nodes, the constants.
RECIPES: dict[str, tuple[Sequence[int], Sequence[NodeProto], Arrays]] = {
    "max pooling": (
        (1, 2, 6, 6),
        [node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])],
        {},
    ),
    "overlapping, padded, dilated windows": (
        (2, 1, 9, 7),
        [
            node(
                "MaxPool",
                ["x"],
                ["y"],
                kernel_shape=[3, 2],
                strides=[2, 1],
                dilations=[2, 3],
                pads=[1, 0, 2, 1],
            )
        ],
        {},
    ),
    "windows that reach over the end": (
        (1, 1, 8),
        [node("MaxPool", ["x"], ["y"], kernel_shape=[3], strides=[2], ceil_mode=1)],
        {},
    ),
    "all of three axes": (
        (1, 2, 2, 3, 2),
        [node("GlobalMaxPool", ["x"], ["y"])],
        {},
    ),
    "several tensors, broadcast, and constants": (
        (2, 1, 3),
        [
            node("Neg", ["x"], ["n"]),
            node("Max", ["x", "c", "n", "k"], ["a"]),
            node("Min", ["a", "x", "d"], ["y"]),
        ],
        {"c": weights(0, 4, 3), "k": weights(1), "d": weights(2, 1, 3)},
    ),
    "one tensor": (
        (2, 3),
        [node("Max", ["x"], ["a"]), node("Min", ["a"], ["y"])],
        {},
    ),
    "along axes": (
        (2, 3, 4),
        [
            node("ReduceMax", ["x"], ["a"], axes=[0, 2], keepdims=1),
            node("ReduceMin", ["x"], ["b"], axes=[-3], keepdims=0),
            node("Add", ["a", "b"], ["y"]),
        ],
        {},
    ),
    "the largest two": (
        (2, 5, 2),
        [node("TopK", ["x", "k"], ["y", "i"], axis=1)],
        {"k": integers(2)},
    ),
    "the smallest, in order": (
        (3, 7),
        [node("TopK", ["x", "k"], ["y", "i"], largest=0)],
        {"k": integers(7)},
    ),
}


@pytest.mark.parametrize("what", RECIPES)
def test_maxima_are_as_onnxruntime_has_them(what):
    shape, nodes, constants = RECIPES[what]
    assert_like_onnxruntime(build(nodes, shape, constants), shape)


def test_windows_share_comparisons():
    """Along an axis, 3 + 2 comparisons for two windows of three by two overlapping."""
    pool = node("MaxPool", ["x"], ["y"], kernel_shape=[4], strides=[1])
    # Of 10 coordinates: 9 pairs next to each other at most, then 7 pairs of pairs.
    network = load(build([pool], [1, 1, 10]))
    assert [block.size for block in network.blocks] == [9, 7, 7]


def test_the_larger_and_the_smaller_of_two_share_neurons():
    nodes = [
        node("Split", ["x", "halves"], ["a", "b"], axis=1),
        node("Max", ["a", "b"], ["p"]),
        node("Min", ["b", "a"], ["q"]),
        node("Concat", ["p", "q"], ["y"], axis=1),
    ]
    model = build(nodes, [1, 6], {"halves": integers(3, 3)})
    network = assert_like_onnxruntime(model, [1, 6])
    assert [block.size for block in network.blocks] == [3, 3, 3]
    assert [block.activation.name for block in network.blocks] == ["Relu", "Max", "Min"]


@pytest.mark.parametrize("size", range(1, 9))
def test_merge_exchange_sorts(size):
    """By the 0-1 principle, all that matters is zeros and ones."""
    rounds = list(merge_exchange(size))
    lanes = np.array(list(np.ndindex(*(2,) * size))).T
    for first, second in rounds:
        assert len({*first, *second}) == 2 * len(first)
        pair = lanes[first], lanes[second]
        lanes[first], lanes[second] = np.maximum(*pair), np.minimum(*pair)
    assert (np.diff(lanes, axis=0) <= 0).all()


def test_what_jumps_is_refused():
    pool = node("MaxPool", ["x"], ["m", "i"], kernel_shape=[2])
    assert load(build([pool, node("Neg", ["m"], ["y"])], [1, 1, 4])).neurons == 6
    with pytest.raises(UnsupportedModelError, match="Indices jump"):
        load(build([pool, node("Cast", ["i"], ["y"], to=1)], [1, 1, 4]))
    top = node("TopK", ["x", "k"], ["y", ""], sorted=0)
    with pytest.raises(UnsupportedModelError, match="no order"):
        load(build([top], [1, 4], {"k": integers(2)}))


def test_windows_without_entries_are_an_error():
    pool = node("MaxPool", ["x"], ["y"], kernel_shape=[1], pads=[1, 0])
    with pytest.raises(ModelError, match="lies in the padding"):
        load(build([pool], [1, 1, 4]))
    top = node("TopK", ["x", "k"], ["y", ""])
    with pytest.raises(ModelError, match="no 5 entries"):
        load(build([top], [1, 4], {"k": integers(5)}))


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_a_maximum_of_inputs_is_certified_as_what_it_is(norm):
    """One in both norms: a maximum is one of its arguments almost everywhere."""
    pool = node("MaxPool", ["x"], ["y"], kernel_shape=[2], strides=[2])
    report = geolip.certify(build([pool], [1, 1, 6]), norm=norm, exact=True)
    assert 1 <= report.bound <= 1 + 1e-3
    assert report.trust == "exact"
    assert report.lower_bound == pytest.approx(1)


NETWORKS: dict[str, tuple[Sequence[int], Sequence[NodeProto], Arrays]] = {
    "convolution, max pooling, dense": (
        (1, 1, 4, 4),
        [
            node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1]),
            node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Relu", ["p"], ["r"]),
            node("Flatten", ["r"], ["f"]),
            node("MatMul", ["f", "w"], ["y"]),
        ],
        {"k": weights(0, 2, 1, 3, 3), "w": weights(1, 8, 2)},
    ),
    "overlapping windows": (
        (1, 1, 7),
        [
            node("MaxPool", ["x"], ["p"], kernel_shape=[3], strides=[2]),
            node("MatMul", ["p", "w"], ["y"]),
        ],
        {"w": weights(2, 3, 2)},
    ),
    "sorted in groups of two and three": (
        (1, 6),
        [
            node("MatMul", ["x", "v"], ["h"]),
            node("Reshape", ["h", "three"], ["g"]),
            node("Split", ["g", "halves"], ["a", "b"], axis=1),
            node("Max", ["a", "b"], ["p"]),
            node("Min", ["a", "b"], ["q"]),
            node("Concat", ["p", "q"], ["m"], axis=1),
            node("Reshape", ["m", "two"], ["n"]),
            node("TopK", ["n", "k"], ["s", "i"]),
            node("Reshape", ["s", "flat"], ["t"]),
            node("MatMul", ["t", "w"], ["y"]),
        ],
        {
            "v": weights(3, 6, 6),
            "w": weights(4, 6, 2),
            "three": integers(3, 2, 1),
            "two": integers(2, 3),
            "flat": integers(1, 6),
            "halves": integers(1, 1),
            "k": integers(3),
        },
    ),
}


@pytest.mark.parametrize("norm", ["inf", "2", "inf:2", "2:inf"])
@pytest.mark.parametrize("what", NETWORKS)
def test_networks_of_maxima_move_no_more_than_certified(what, norm):
    shape, nodes, constants = NETWORKS[what]
    model = build(nodes, shape, constants)
    report = geolip.certify(model, norm=norm, exact=True, rows="all")
    assert report.trust == "exact"
    assert checking.check(model, report.certificate).bound == report.bound
    network, pair = load(model), norms.parse(norm)
    random = np.random.default_rng(0)
    x = 3 * random.standard_normal((network.input_size, 400))
    secants = [x - np.roll(x, 1, axis=1), 1e-3 * random.standard_normal(x.shape)]
    for step in secants:
        moved = network.evaluate(x + step) - network.evaluate(x)
        ratios = pair.output.of(moved) / pair.input.of(step)
        assert ratios.max() <= report.bound * (1 + 1e-9)
    assert ratios.max() / 4 <= report.lower_bound <= report.bound


@pytest.mark.parametrize("what", NETWORKS)
def test_what_a_mixture_mixes_is_in_its_window(what):
    shape, nodes, constants = NETWORKS[what]
    network = load(build(nodes, shape, constants))
    X = np.random.default_rng(1).standard_normal((network.input_size, 400))
    pairs = zip(network.blocks, network.preactivations(X), strict=False)
    values = [X, *(block.activation.function(Z) for block, Z in pairs)]
    moves = [V - np.roll(V, 1, axis=1) for V in values]
    mixtures = [(k, block.mixture) for k, block in enumerate(network.blocks, 1)]
    found = [(k, mixture) for k, mixture in mixtures if mixture is not None]
    assert found
    for k, mixture in found:
        source = mixture.source.apply(moves)
        for neuron, members in enumerate(mixture.windows):
            compared = source[members[members >= 0]]
            assert (moves[k][neuron] <= compared.max(axis=0) + 1e-9).all()
            assert (moves[k][neuron] >= compared.min(axis=0) - 1e-9).all()


@pytest.mark.parametrize(("norm", "overlap"), [("inf", 1.0), ("2", 2.0**0.5)])
def test_products_know_that_a_maximum_is_a_mean(norm, overlap):
    """Of the eight neurons of a window, a product of norms makes nine."""
    shape, nodes, constants = NETWORKS["overlapping windows"]
    network = load(build(nodes, shape, constants)).sectors()
    pair = norms.parse(norm)
    product = norm_product(network, pair)
    expected = overlap * operator_norm(network.output.terms[3], pair)
    assert product == pytest.approx(expected)
    assert float(product_square(network, pair)) == pytest.approx(expected**2)
    bare = tuple(replace(block, mixture=None) for block in network.blocks)
    assert norm_product(replace(network, blocks=bare), pair) > 2 * product
