"""Every operator of ONNX on ONNX's own node cases: read, or refused as documented."""

from typing import Any

import numpy as np
import pytest
from imported_values import evaluate
from numpy.typing import NDArray
from onnx import TensorProto
from onnx_cases import REAL, assert_equal_values, cases, real_places, variants

from geolip.errors import ModelError, UnsupportedModelError
from geolip.importer import catalogue, load
from geolip.importer.operation import label
from geolip.importer.refusals import can_fold, reason

# Operators that may read the activation at any place, not only the first.
ANYWHERE = {
    "Add",
    "CastLike",
    "Concat",
    "Dropout",
    "Einsum",
    "Gemm",
    "MatMul",
    "Max",
    "Mean",
    "Min",
    "Mul",
    "OneHot",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Sub",
    "Sum",
    "Where",
}

# The casts that round nothing, by element types.
EXACT_CASTS = {
    (TensorProto.FLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT16, TensorProto.DOUBLE),
    (TensorProto.BFLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT, TensorProto.DOUBLE),
}

# What some cases of supported operators are refused for.
REFUSALS = {
    "test_dft_irfft": "takes half of a spectrum",
    "test_resize_downsample_scales_cubic_align_corners": "runtimes disagree",
    "test_resize_downsample_scales_linear_align_corners": "runtimes disagree",
    "test_resize_downsample_sizes_nearest_not_smaller": "runtimes disagree",
    "test_roialign_mode_max": "mode 'max' is not supported",
    "test_scatter_elements_with_reduction_m": "reduction 'm.*' is not supported",
    "test_scatternd_m": "reduction 'm.*' is not supported",
    "test_shrink_hard": "jumps",
    "test_thresholdedrelu": "jumps",
}

# Operators whose second output may not be used.
JUMPING = {"MaxPool", "TopK"}

# The same by operators and the positions of the activation.
POSITIONS = {
    ("Div", 1): "division by an activation",
    ("OneHot", 0): "must be constant",
    ("OneHot", 1): "must be constant",
}

# Their expected values are printed to four digits, or computed in half precision.
COARSE = {
    "test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-4,
    "test_gridsample_bicubic": 1e-4,
    "test_roialign_aligned_false": 1e-4,
    "test_roialign_aligned_true": 1e-4,
    # Quantised in float64, a half is rounded to the other side.
    "test_dynamicquantizelinear": 1e-2,
    "test_dynamicquantizelinear_expanded": 1e-2,
}

PLACES = [
    pytest.param(case, place, id=f"{case.name}-{place}")
    for case in cases(one_node=True)
    for place in real_places(case)
]
CONSTANT = [pytest.param(case, id=case.name) for case in cases(one_node=True)]
EXPANDED = [pytest.param(case, id=case.name) for case in cases(one_node=False)]


def refusal(case: Any, place: int | None, expected: NDArray[Any]) -> str | None:
    """Return what the refusal of a case says, None if its values must be right."""
    (operator,) = case.model.graph.node
    kind = operator.op_type
    elements = {tensor.type.tensor_type.elem_type for tensor in case.model.graph.input}
    if TensorProto.STRING in elements:
        return "holds STRING"
    if "training" in case.name and kind in catalogue.readers():
        return "training mode"
    if place is not None:
        inputs = list(operator.input)
        position = inputs.index(case.model.graph.input[place].name)
        if (kind, position) in POSITIONS:
            return POSITIONS[kind, position]
        if position and kind not in ANYWHERE:
            return "must be constant"
    if place is not None or not can_fold(kind):
        for name, message in REFUSALS.items():
            if case.name.startswith(name):
                return message
    if kind in ("Cast", "CastLike") and narrows(case, place):
        return "which rounds them"
    if place is not None and kind in JUMPING and expected.dtype.kind == "i":
        return "Indices jump"
    if not expected.size:
        return "is empty"
    if place is None and not np.isfinite(expected.astype(float)).all():
        return "NaN or infinite entries"
    return None


def narrows(case: Any, place: int | None) -> bool:
    """Return whether a cast, of an activation if there is one, may round."""
    graph = case.model.graph
    types = tuple(
        tensor.type.tensor_type.elem_type
        for tensor in (graph.input[0], graph.output[0])
    )
    exact = types in EXACT_CASTS or types[0] == types[1]
    if exact or (place is None and case.name == "test_castlike_DOUBLE_to_FLOAT"):
        return False
    # The definition of a cast of constants is folded; the cases of casts to the type of
    # another tensor have constants that do not fit, if they are real.
    return place == 0 or (graph.node[0].op_type == "CastLike" and types[0] in REAL)


def assert_case(case: Any, place: int | None) -> None:
    """Load all models of a case and compare what they compute, or why they do not."""
    (operator,) = case.model.graph.node
    kind = operator.op_type
    known = kind in catalogue.readers()
    for model, given, expected in variants(case, place):
        if model.opset_import[0].version < 7:
            message: str | None = "opset version"
        elif known or (place is None and can_fold(kind)):
            message = refusal(case, place, expected)
        else:
            with pytest.raises(UnsupportedModelError) as caught:
                load(model)
            (problem,) = caught.value.problems
            assert problem == f"{label(operator)}: {reason(kind)}"
            continue
        if message is not None:
            with pytest.raises(ModelError, match=message):
                load(model)
            continue
        found = evaluate(load(model), given)
        assert_equal_values(found, expected, COARSE.get(case.name))


@pytest.mark.parametrize(("case", "place"), PLACES)
def test_onnx_node_case(case: Any, place: int) -> None:
    assert_case(case, place)


@pytest.mark.parametrize("case", CONSTANT)
def test_onnx_node_case_on_constants(case: Any) -> None:
    assert_case(case, None)


@pytest.mark.parametrize("case", EXPANDED)
def test_onnx_function_case(case: Any) -> None:
    for place in (None, *real_places(case)):
        for model, given, expected in variants(case, place):
            try:
                network = load(model)
            except UnsupportedModelError:
                continue
            except ModelError as error:
                if "has NaN or infinite" in str(error) or "is empty" in str(error):
                    continue
                raise
            found = evaluate(network, given)
            assert_equal_values(found, expected, COARSE.get(case.name))


def test_every_operator_has_a_node_case() -> None:
    covered = {case.values[0].model.graph.node[0].op_type for case in CONSTANT}
    assert set(catalogue.readers()) <= covered


def test_double_entry_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = list(catalogue.iter_modules(catalogue.ops.__path__))
    monkeypatch.setattr(catalogue, "iter_modules", lambda _: [*modules, modules[0]])
    with pytest.raises(RuntimeError, match="read elsewhere"):
        catalogue.readers.__wrapped__()
