"""The discrete Fourier transform: a matrix whose entries are nearly the exact ones."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from exact_activations import series
from imported_values import evaluate
from importer_models import build, node
from onnx.reference import ReferenceEvaluator

import geolip
from geolip.errors import ModelError, UnsupportedModelError
from geolip.importer import load
from geolip.importer.ops.fourier import cosine

TAU = Decimal("6.28318530717958647692528676655900576839433879875021164194988918")
UNIT = Fraction(1, 2**53)


def exact_cosine(place, length):
    with localcontext() as context:
        context.prec = 60
        angle = TAU * place / length
        return series(Decimal(1), lambda n: -angle * angle / (2 * n * (2 * n - 1)))


def model(shape, length=None, axis=-2, **attributes):
    inputs = ["x", "length" if length else "", "axis"]
    constants = {"axis": np.array(axis)}
    if length:
        constants["length"] = np.array(length)
    return build([node("DFT", inputs, ["y"], **attributes)], shape, constants, opset=20)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 12, 97, 360])
def test_cosines_are_off_by_five_roundings(length):
    for k in range(-length, 2 * length):
        exact = exact_cosine(k % length, length)
        found = cosine(Fraction(k, length))
        if abs(exact) < Decimal("1e-30"):
            assert found == 0
        else:
            assert abs(Fraction(found) / Fraction(exact) - 1) <= 5 * UNIT


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("length", [None, 3, 9])
@pytest.mark.parametrize("axis", [0, 1, -2])
@pytest.mark.parametrize("kind", ["", "inverse", "onesided"])
def test_values_are_those_of_onnx(parts, length, axis, kind):
    if kind == "onesided" and parts == 2:
        return
    shape = [3, 6, 2, parts]
    attributes = {kind: 1} if kind else {}
    made = model(shape, length, axis, **attributes)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    (wanted,) = ReferenceEvaluator(made).run(None, {"x": x})
    network = load(made)
    assert network.output_shape == wanted.shape
    np.testing.assert_allclose(evaluate(network, x), wanted, atol=1e-5)


def test_the_length_in_l2_is_known():
    """The transform of n numbers is the square root of n times an isometry."""
    report = geolip.certify(model([1, 6, 2]), norm="2", exact=True)
    assert report.trust == "exact"
    assert np.sqrt(6) <= report.bound <= np.sqrt(6) * (1 + 1e-6)


@pytest.mark.parametrize(("length", "count"), [(4, 0), (2, 0), (6, 7)])
def test_roundings_are_counted_where_there_are_any(length, count):
    (operator,) = load(model([1, length, 1])).output.terms.values()
    assert operator.roundings == count


@pytest.mark.parametrize("attributes", [{"inverse": 1}, {}])
def test_half_of_what_is_not_real_is_refused(attributes):
    with pytest.raises(UnsupportedModelError, match="half"):
        load(model([1, 6, 2], onesided=1, **attributes))


@pytest.mark.parametrize(
    ("shape", "length", "axis"),
    [([1, 6, 3], None, 1), ([1, 6, 2], None, -1), ([1, 6, 2], None, 4)],
)
def test_what_is_no_transform_is_an_error(shape, length, axis):
    with pytest.raises(ModelError, match="no complex numbers"):
        load(model(shape, length, axis))


def test_a_length_beyond_measure_is_refused():
    with pytest.raises((ModelError, UnsupportedModelError)):
        load(model([1, 6, 2], length=10**9))
