"""Resizing and sampling: against onnxruntime, and against fractions."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact_operators import exact
from imported_values import assert_like_onnxruntime
from importer_models import Arrays, build, integers, node
from importer_refusals import assert_wrong, refused
from onnx import ModelProto

from geolip.errors import UnsupportedModelError
from geolip.importer import load
from geolip.linear import LinearOperator, Sparse

UNIT = Fraction(1, 2**53)
PLACES = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_crop_and_resize",
)
# Of whose products with lengths float32 makes no jump that is none.
SCALES = (0.25, 0.5, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0)
REGIONS = ((0.0, 1.0), (0.125, 0.75), (-0.25, 1.125), (0.25, 1.0))


def resize(attributes: dict[str, Any], shape: list[int], **given: Any) -> ModelProto:
    """Return a model that resizes tensor ``x``."""
    names = [name if name in given else "" for name in ("roi", "scales", "sizes")]
    while not names[-1]:
        names.pop()
    types = {"sizes": np.int64}
    constants = {k: np.array(v, types.get(k, np.float32)) for k, v in given.items()}
    resized = node("Resize", ["x", *names], ["y"], **attributes)
    return build([resized], shape, constants, opset=19)


def random_resize(seed: int) -> tuple[ModelProto, list[int]]:
    rng = np.random.default_rng(seed)
    mode = ("nearest", "linear", "cubic")[seed % 3]
    rank = 2 if mode == "cubic" else int(rng.integers(1, 4))
    shape = [1, 2, *map(int, rng.integers(1, 8, rank))]
    attributes: dict[str, Any] = {"mode": mode}
    attributes["coordinate_transformation_mode"] = PLACES[seed // 3 % len(PLACES)]
    if mode == "nearest":
        modes = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
        attributes["nearest_mode"] = str(rng.choice(modes))
    else:
        attributes["antialias"] = int(rng.integers(3) == 0)
    if mode == "cubic":
        attributes["cubic_coeff_a"] = float(rng.choice([-0.75, -0.5]))
        attributes["exclude_outside"] = int(rng.integers(3) == 0)
    axes = list(range(len(shape)))
    if rng.integers(2):
        attributes["axes"] = axes = axes[2:]
    given: dict[str, Any] = {}
    if attributes["coordinate_transformation_mode"] == "tf_crop_and_resize":
        attributes["extrapolation_value"] = 1.5
        regions = [REGIONS[rng.integers(4)] if axis > 1 else (0, 1) for axis in axes]
        given["roi"] = np.array(regions).T.ravel()
    if "roi" in given or rng.integers(2):
        given["sizes"] = [shape[k] if k < 2 else rng.integers(1, 12) for k in axes]
        if "axes" in attributes:
            policies = ("stretch", "not_larger", "not_smaller")
            attributes["keep_aspect_ratio_policy"] = str(rng.choice(policies))
    else:
        scales = [1.0 if k < 2 else rng.choice(SCALES) for k in axes]
        whole = zip(scales, axes, strict=True)
        given["scales"] = [s if s * shape[k] >= 1 else 1.0 for s, k in whole]
    return resize(attributes, shape, **given), shape


# Without the seed for which nothing is left of an axis.
SEEDS = sorted(set(range(180)) - {74})


def refusal(model: ModelProto) -> str | None:
    """Return why a model is refused, None if it is read."""
    try:
        load(model)
    except UnsupportedModelError as error:
        return str(error)
    return None


@pytest.mark.parametrize("seed", SEEDS)
def test_resizing(seed: int) -> None:
    model, shape = random_resize(seed)
    if (reason := refusal(model)) is not None:
        assert "runtimes disagree" in reason
    else:
        assert_like_onnxruntime(model, shape)


def test_most_resizing_is_read() -> None:
    refusals = [refusal(random_resize(seed)[0]) for seed in SEEDS]
    assert sum(reason is not None for reason in refusals) < 60


def matrix(model: ModelProto) -> LinearOperator:
    (operator,) = load(model).output.terms.values()
    return operator


def linear_weights(size: int, length: int) -> np.ndarray:
    """Return the matrix of linear interpolation with half_pixel, in fractions."""
    rows = np.full((length, size), Fraction())
    for x in range(length):
        place = (x + Fraction(1, 2)) * size / length - Fraction(1, 2)
        place = min(max(place, Fraction(0)), Fraction(size - 1))
        for i in range(size):
            rows[x, i] = max(Fraction(0), 1 - abs(place - i))
    return rows


@pytest.mark.parametrize(("size", "length"), [(3, 7), (5, 3), (4, 9), (7, 2), (1, 3)])
def test_weights_are_rounded_once(size: int, length: int) -> None:
    operator = matrix(resize({"mode": "linear"}, [1, size], sizes=[1, length]))
    wanted = linear_weights(size, length)
    error = abs(exact(operator.dense()) - wanted)
    assert (error <= operator.roundings * UNIT * abs(wanted)).all()
    assert operator.roundings <= 1


def test_weights_along_two_axes_are_rounded_three_times() -> None:
    operator = matrix(resize({"mode": "linear"}, [3, 5], sizes=[7, 9]))
    wanted = np.kron(linear_weights(3, 7), linear_weights(5, 9))
    assert operator.roundings == 3
    assert (abs(exact(operator.dense()) - wanted) <= 3 * UNIT * abs(wanted)).all()


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_powers_of_two_round_nothing(mode: str) -> None:
    operator = matrix(resize({"mode": mode}, [1, 1, 3, 4], scales=[1, 1, 2, 4]))
    assert operator.roundings == 0
    if mode == "linear":
        wanted = np.kron(linear_weights(3, 6), linear_weights(4, 16))
        assert (exact(operator.dense()) == wanted).all()
    np.testing.assert_array_equal(operator.dense().sum(axis=1), 1)


def test_nearest_moves_entries() -> None:
    operator = matrix(resize({"mode": "nearest"}, [1, 5], sizes=[1, 9]))
    assert isinstance(operator, Sparse)
    assert operator.roundings == 0
    assert (operator.matrix.data == 1).all()


@pytest.mark.parametrize(
    ("opset", "kind"), [(7, "Upsample"), (9, "Upsample"), (10, "Resize")]
)
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_old_resizing(opset: int, kind: str, mode: str) -> None:
    scales = [1.0, 1.0, 2.0, 1.5]
    if opset == 7:
        resized, constants = node(kind, ["x"], ["y"], mode=mode, scales=scales), {}
    else:
        resized = node(kind, ["x", "s"], ["y"], mode=mode)
        constants = {"s": np.array(scales, np.float32)}
    shape = [1, 2, 3, 4]
    assert_like_onnxruntime(build([resized], shape, constants, opset), shape)


@pytest.mark.parametrize(
    ("attributes", "given", "part"),
    [
        ({}, {"scales": [1, 0.33333334]}, "so near a jump"),
        ({"mode": "linear"}, {"scales": [1, 1.0625]}, "its own length"),
        (
            {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
            {"scales": [1, 0.7]},
            "fractional length",
        ),
        (
            {"coordinate_transformation_mode": "tf_crop_and_resize"},
            {"scales": [1, 2], "roi": [0, 0, 1, 0.5]},
            "a roi with scales",
        ),
    ],
    ids=str,
)
def test_resizing_that_runtimes_read_differently(
    attributes: dict[str, Any], given: dict[str, Any], part: str
) -> None:
    (line,) = refused(resize(attributes, [1, 12], **given))
    assert part in line


def test_old_downsampling_is_ambiguous() -> None:
    model = build(
        [node("Resize", ["x", "s"], ["y"])],
        [1, 5],
        {"s": np.array([1, 0.75], np.float32)},
        opset=10,
    )
    assert "scale below 1" in refused(model)[0]


@pytest.mark.parametrize(
    ("attributes", "given", "part"),
    [
        ({}, {"scales": [1]}, "one for each axis"),
        ({}, {"scales": [1, 2], "sizes": [1, 2]}, "one for each axis"),
        ({}, {"scales": [1, -2]}, "not positive"),
        ({"mode": "quintic"}, {"scales": [1, 2]}, "mode 'quintic' is unknown"),
        ({"nearest_mode": "up"}, {"scales": [1, 2]}, "one is unknown"),
        ({"keep_aspect_ratio_policy": "?"}, {"sizes": [1, 2]}, "is unknown"),
        ({"axes": [1, 1]}, {"scales": [1, 2]}, "does not fit axes"),
    ],
    ids=str,
)
def test_wrong_resizing(
    attributes: dict[str, Any], given: dict[str, Any], part: str
) -> None:
    assert_wrong(resize(attributes, [1, 12], **given), "Resize 'y'", part)


def test_too_many_places() -> None:
    (line,) = refused(resize({}, [1, 12], sizes=[1, 2**40]))
    assert "at 1099511627776 places along an axis" in line
    giant = resize({}, [1, 1, 1, 1], sizes=[1, *[2**13] * 3])
    assert_wrong(giant, "Resize 'y'", "does not fit in memory")
    (line,) = refused(aligned([[0, 0, 6e8, 6e8]]))
    assert "at most 16384 are supported" in line


# Sampling ---------------------------------------------------------------------------


def random_grid(seed: int) -> tuple[ModelProto, list[int]]:
    rng = np.random.default_rng(seed)
    rank = 3 if seed % 4 == 3 else 2
    modes = ("nearest", "linear", "cubic")[: 5 - rank]
    attributes: dict[str, Any] = {
        "mode": str(rng.choice(modes)),
        "padding_mode": str(rng.choice(("zeros", "border", "reflection"))),
        "align_corners": int(rng.integers(2)),
    }
    shape = [2, 2, *map(int, rng.integers(2, 6, rank))]
    grid_shape = (2, *rng.integers(1, 4, rank), rank)
    reach = 1 if attributes["mode"] == "cubic" else 2
    grid = rng.uniform(-reach, reach, grid_shape).astype(np.float32)
    sampled = node("GridSample", ["x", "g"], ["y"], **attributes)
    return build([sampled], shape, {"g": grid}, opset=20), shape


@pytest.mark.parametrize("seed", range(60))
def test_grid_sampling(seed: int) -> None:
    assert_like_onnxruntime(*random_grid(seed))


def aligned(regions: Any, opset: int = 16, **attributes: Any) -> ModelProto:
    """Return a model that averages over regions of tensor ``x``, two images."""
    constants: Arrays = {
        "r": np.array(regions, np.float32),
        "i": integers(*(k % 2 for k in range(len(regions)))),
    }
    attributes = {"output_height": 3, "output_width": 2, **attributes}
    averaged = node("RoiAlign", ["x", "r", "i"], ["y"], **attributes)
    return build([averaged], [2, 3, 5, 4], constants, opset)


@pytest.mark.parametrize("samples", [0, 1, 2])
@pytest.mark.parametrize(
    ("opset", "attributes"),
    [
        (10, {}),
        (16, {"coordinate_transformation_mode": "output_half_pixel"}),
        (16, {"spatial_scale": 0.5}),
        (16, {"spatial_scale": 0.3}),
    ],
)
def test_averages_of_regions(
    opset: int, attributes: dict[str, Any], samples: int
) -> None:
    regions = [[0.3, 0.2, 3.1, 4.7], [-2.0, 1.5, 1.3, 9.0], [2.2, 2.2, 2.3, 2.9]]
    model = aligned(regions, opset, sampling_ratio=samples, **attributes)
    assert_like_onnxruntime(model, [2, 3, 5, 4])


def test_sampling_that_runtimes_read_differently() -> None:
    grid = np.array([1.5, 0.0], np.float32).reshape(1, 1, 1, 2)
    attributes = {"mode": "cubic", "padding_mode": "border"}
    sampled = node("GridSample", ["x", "g"], ["y"], **attributes)
    model = build([sampled], [1, 1, 3, 3], {"g": grid}, opset=20)
    assert "cubic outside a border" in refused(model)[0]
    assert "mode 'max'" in refused(aligned([[0, 0, 1, 1]], mode="max"))[0]


def test_wrong_sampling() -> None:
    grid = {"g": np.zeros((1, 2, 2, 3), np.float32)}
    sampled = node("GridSample", ["x", "g"], ["y"])
    assert_wrong(build([sampled], [1, 1, 3, 3], grid, opset=20), "does not fit")
    assert_wrong(aligned([[0, 0, 1]]), "do not fit")
    assert_wrong(aligned([[1, 1, 0, 0]]), "a region is empty")
