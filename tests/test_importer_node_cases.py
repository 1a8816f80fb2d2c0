"""Every operator of the catalogue against ONNX's own node cases."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from imported_values import evaluate
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.backend.test.loader import load_model_tests

from geolip.errors import ModelError
from geolip.importer import catalogue, load

REAL = {
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
}

# Operators that may read the activation at any of these places, not only the first.
ANYWHERE = {"Add", "Concat", "Gemm", "MatMul", "Mul", "Sub", "Sum", "Where"}

# The casts that round nothing, by element types.
EXACT_CASTS = {
    (TensorProto.FLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT16, TensorProto.DOUBLE),
    (TensorProto.BFLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT, TensorProto.DOUBLE),
}

# A dimension of 0 stands for a free one, which is refused or 1.
ZERO_DIMENSION = {
    "test_reduce_max_empty_set",
    "test_reduce_min_empty_set",
    "test_reduce_sum_empty_set",
    "test_reduce_sum_empty_set_non_reduced_axis_zero",
    "test_reshape_allowzero_reordered",
    "test_split_zero_size_splits_opset13",
    "test_split_zero_size_splits_opset18",
}

# Their expected values are printed to four digits, or rounded to half precision.
COARSE = {
    "test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-3,
    "test_celu_bfloat16": 2.0**-7,
    "test_celu_float16": 2.0**-10,
}


def onnx_cases() -> Iterator[Any]:
    """Yield every case of a supported operator, for each place of the activation."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = load_model_tests(kind="node")
    for case in cases:
        graph = case.model.graph
        if len(graph.node) != 1 or graph.node[0].domain or case.name in ZERO_DIMENSION:
            continue
        operator = graph.node[0]
        if operator.op_type not in catalogue.readers():
            continue
        places = [
            place
            for place, info in enumerate(graph.input)
            if info.name in operator.input and info.type.tensor_type.elem_type in REAL
        ]
        for place in places[: None if operator.op_type in ANYWHERE else 1]:
            yield pytest.param(case, place, id=f"{case.name}-{place}")


ONNX_CASES = list(onnx_cases())


def as_array(value: Any) -> NDArray[Any]:
    """Return a value of a node case, which may be a stored tensor."""
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value)


def with_one_input(
    model: ModelProto, place: int, values: Sequence[Any], output: ValueInfoProto
) -> ModelProto:
    """Return a copy of ``model`` in which all inputs but one are stored values."""
    single = ModelProto()
    single.CopyFrom(model)
    infos = list(model.graph.input)
    del single.graph.input[:], single.graph.output[:]
    single.graph.input.append(infos[place])
    single.graph.output.append(output)
    for number, (info, value) in enumerate(zip(infos, values, strict=True)):
        if number != place:
            stored = numpy_helper.from_array(as_array(value), info.name)
            single.graph.initializer.append(stored)
    return single


def refusal(name: str, model: ModelProto, size: int) -> str | None:
    """Return what the refusal of a case says, None if it must be read."""
    if "training" in name:
        return "training mode"
    types = [
        info.type.tensor_type.elem_type
        for info in (*model.graph.input, *model.graph.output)
    ]
    kind = model.graph.node[0].op_type
    if kind == "ThresholdedRelu" or name == "test_shrink_hard":
        return "jumps"
    if kind == "Cast" and tuple(types) not in EXACT_CASTS:
        return "which rounds them"
    kind, element = model.graph.node[0].op_type, model.graph.output[0].type
    if kind in {"MaxPool", "TopK"} and element.tensor_type.elem_type not in REAL:
        return "Indices jump"
    return None if size else "is empty"


@pytest.mark.parametrize(("case", "place"), ONNX_CASES)
def test_onnx_node_case(case: Any, place: int) -> None:
    for inputs, outputs in case.data_sets:
        for info, expected in zip(case.model.graph.output, outputs, strict=True):
            model = with_one_input(case.model, place, inputs, info)
            wanted = as_array(expected).astype(float)
            if (message := refusal(case.name, model, wanted.size)) is not None:
                with pytest.raises(ModelError, match=message):
                    load(model)
                continue
            network = load(model)
            assert network.output.shape == wanted.shape
            np.testing.assert_allclose(
                evaluate(network, as_array(inputs[place])),
                wanted,
                rtol=COARSE.get(case.name, 1e-5),
                atol=1e-6,
            )


def test_every_operator_has_a_node_case() -> None:
    covered = {case.values[0].model.graph.node[0].op_type for case in ONNX_CASES}
    assert set(catalogue.readers()) == covered


def test_double_entry_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = list(catalogue.iter_modules(catalogue.ops.__path__))
    monkeypatch.setattr(catalogue, "iter_modules", lambda _: [*modules, modules[0]])
    with pytest.raises(RuntimeError, match="read elsewhere"):
        catalogue.readers.__wrapped__()
