"""Stored numbers: every type and form that ONNX has for them, and broken ones."""

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from importer_models import build, node
from importer_refusals import assert_wrong
from numpy.typing import NDArray
from onnx import (
    ModelProto,
    SparseTensorProto,
    TensorProto,
    defs,
    helper,
    numpy_helper,
)

from geolip.importer import load
from geolip.importer.stored import array_of

# Exact in each of the types.
NUMBERS = np.array([[1.5, -2.0, 0.0], [0.09375, 256.0, -0.5]])
REAL: dict[int, Any] = {
    TensorProto.FLOAT16: np.float16,
    TensorProto.BFLOAT16: ml_dtypes.bfloat16,
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
}
INTEGERS = [
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT16,
    TensorProto.UINT16,
    TensorProto.INT32,
    TensorProto.UINT32,
    TensorProto.INT64,
    TensorProto.UINT64,
]


def matrix_of(model: ModelProto) -> NDArray[np.float64]:
    (operator,) = load(model).output.terms.values()
    return operator.dense()


def sparse(values: Any, indices: Any, dims: Sequence[int]) -> SparseTensorProto:
    return helper.make_sparse_tensor(
        numpy_helper.from_array(np.asarray(values), "w"),
        numpy_helper.from_array(np.asarray(indices)),
        dims,
    )


# Dense ------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("code", REAL)
def test_real_weights_are_exact(code: int, raw: bool) -> None:
    values = NUMBERS.astype(REAL[code])
    content = values.tobytes() if raw else values.astype(float).ravel()
    tensor = helper.make_tensor("w", code, (2, 3), content, raw=raw)
    model = build([node("MatMul", ["w", "x"], ["y"])], [3], element=code)
    model.graph.initializer.append(tensor)
    np.testing.assert_array_equal(matrix_of(model), NUMBERS)


@pytest.mark.parametrize("code", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_every_number_of_sixteen_bits(code: int) -> None:
    bits = np.arange(2**16, dtype=np.uint16)
    raw = TensorProto(data_type=code, dims=[2**16], raw_data=bits.tobytes())
    packed = TensorProto(data_type=code, dims=[2**16], int32_data=bits)
    expected = bits.view(REAL[code])
    for tensor in (raw, packed):
        found = array_of(tensor)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.view(np.uint16), bits)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("code", INTEGERS)
def test_integers(code: int, raw: bool) -> None:
    dtype = helper.tensor_dtype_to_np_dtype(code)
    ends = np.array([np.iinfo(dtype).min, 1, np.iinfo(dtype).max], dtype)
    tensor = helper.make_tensor("w", code, (3,), ends.tobytes() if raw else ends, raw)
    np.testing.assert_array_equal(array_of(tensor), ends)


def test_whatever_is_not_zero_is_true() -> None:
    for tensor in (
        TensorProto(data_type=TensorProto.BOOL, dims=[3], raw_data=b"\x00\x01\x02"),
        TensorProto(data_type=TensorProto.BOOL, dims=[3], int32_data=[0, 1, 2]),
    ):
        assert array_of(tensor).view(np.uint8).tolist() == [0, 1, 1]


def test_scalars_and_empty_tensors() -> None:
    one = TensorProto(data_type=TensorProto.FLOAT, float_data=[0.5])
    assert array_of(one).shape == ()
    none = TensorProto(data_type=TensorProto.FLOAT, dims=[2, 0])
    assert array_of(none).shape == (2, 0)


F, B = TensorProto.FLOAT, TensorProto.BFLOAT16
WRONG: list[tuple[TensorProto, str]] = [
    (TensorProto(data_type=F, dims=[2], raw_data=b"1234"), "4 bytes: expected 8"),
    (TensorProto(data_type=F, dims=[1], raw_data=b"12345678"), "8 bytes: expected 4"),
    (TensorProto(data_type=B, dims=[3], raw_data=b"1234"), "4 bytes: expected 6"),
    (TensorProto(data_type=F, dims=[2], float_data=[1]), "1 entries: expected 2"),
    (TensorProto(data_type=F, dims=[2]), "0 bytes"),
    (TensorProto(data_type=F, dims=[], raw_data=b""), "0 bytes"),
    (TensorProto(data_type=F, dims=[2**62, 2**62, 0, 1], float_data=[1]), "1 entries"),
    (TensorProto(data_type=F, dims=[2**32, 2**32], raw_data=b""), "0 bytes"),
    (TensorProto(data_type=F, dims=[-1, -1], float_data=[1]), "negative"),
    (TensorProto(data_type=F, dims=[-1, 0]), "negative"),
    (TensorProto(data_type=F, dims=[1], double_data=[1]), "double_data"),
    (TensorProto(data_type=F, dims=[1], int32_data=[1], float_data=[1]), "int32_data"),
    (TensorProto(data_type=F, dims=[1], raw_data=b"1234", float_data=[1]), "alone"),
    (TensorProto(data_type=B, dims=[1], int32_data=[2**16]), "no bfloat16"),
    (TensorProto(data_type=B, dims=[1], int32_data=[-1]), "no bfloat16"),
    (TensorProto(data_type=TensorProto.INT8, dims=[1], int32_data=[128]), "no int8"),
    (TensorProto(data_type=TensorProto.UINT8, dims=[1], int32_data=[-1]), "no uint8"),
    (TensorProto(data_type=0, dims=[1], raw_data=b"1234"), "undefined"),
    (TensorProto(data_type=99, dims=[1], raw_data=b"1234"), "type 99"),
    (TensorProto(data_type=-1, dims=[1], raw_data=b"1234"), "type -1"),
    (TensorProto(data_type=TensorProto.STRING, dims=[1], string_data=[b"1"]), "STRING"),
    (TensorProto(data_type=TensorProto.COMPLEX64, float_data=[1, 2]), "COMPLEX64"),
    (TensorProto(data_type=TensorProto.COMPLEX128, raw_data=b"1" * 16), "COMPLEX128"),
    (TensorProto(data_type=TensorProto.FLOAT8E4M3FN, raw_data=b"1"), "float8_e4m3fn"),
    (TensorProto(data_type=TensorProto.INT4, dims=[2], raw_data=b"1"), "int4"),
    (TensorProto(data_type=TensorProto.INT4, dims=[4], raw_data=b"1"), "expected 2"),
    (TensorProto(data_type=TensorProto.INT4, dims=[4], int32_data=[1]), "expected 2"),
    (TensorProto(data_type=TensorProto.INT2, dims=[8], raw_data=b"1"), "expected 2"),
    (TensorProto(data_type=TensorProto.FLOAT6E2M3, dims=[8], raw_data=b"1"), "6"),
]


@pytest.mark.parametrize(("tensor", "part"), WRONG, ids=range(len(WRONG)))
def test_wrong_tensor(tensor: TensorProto, part: str) -> None:
    model = build([node("Add", ["x", "w"], ["y"])], [1, 3])
    stored = model.graph.initializer.add()
    stored.CopyFrom(tensor)
    stored.name = "w"
    assert_wrong(model, "'w'", part)
    constant = node("Constant", [], ["w"], value=tensor)
    model = build([constant, node("Add", ["x", "w"], ["y"])], [1, 3])
    assert_wrong(model, "'w'", part)


def test_a_tensor_in_parts() -> None:
    model = build([node("Add", ["x", "w"], ["y"])], [1, 3])
    stored = TensorProto(name="w", data_type=F, dims=[1], float_data=[1])
    stored.segment.begin = 0
    model.graph.initializer.append(stored)
    assert_wrong(model, "'w'", "segment")


# Sparse -----------------------------------------------------------------------------


@pytest.mark.parametrize("indices", [[1, 3, 5], [[0, 1], [1, 0], [1, 2]]])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sparse_initialiser(indices: Any, dtype: Any) -> None:
    values = np.array([0.5, -2.0, 0.25], dtype)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    model = build([node("MatMul", ["w", "x"], ["y"])], [3], element=element)
    model.graph.sparse_initializer.append(sparse(values, indices, (2, 3)))
    expected = [[0.0, 0.5, 0.0], [-2.0, 0.0, 0.25]]
    np.testing.assert_array_equal(matrix_of(model), expected)


def test_sparse_initialiser_without_entries() -> None:
    model = build([node("MatMul", ["w", "x"], ["y"])], [3])
    empty = sparse(np.zeros(0, np.float32), np.zeros(0, np.int64), (2, 3))
    model.graph.sparse_initializer.append(empty)
    network = load(model)
    assert not network.evaluate(np.ones((3, 1))).any()


ONES = np.ones(2, np.float32)


@pytest.mark.parametrize(
    ("stored", "part"),
    [
        (SparseTensorProto(), "undefined"),
        (sparse(ONES, [0, 6], (2, 3)), "do not fit"),
        (sparse(ONES, [-1, 3], (2, 3)), "do not fit"),
        (sparse(ONES, [0, 1, 2], (2, 3)), "do not fit"),
        (sparse(ONES, [[0, 0], [0, 3]], (2, 3)), "do not fit"),
        (sparse(ONES, [[0, 0, 0], [0, 0, 1]], (2, 3)), "do not fit"),
        (sparse(ONES, 0, (2, 3)), "do not fit"),
        (sparse(ONES, [1, 1], (2, 3)), "ascending"),
        (sparse(ONES, [2, 1], (2, 3)), "ascending"),
        (sparse(ONES, np.array([0, 1], np.int32), (2, 3)), "INT64"),
        (sparse([[1.0]], [0], (2, 3)), "no list"),
        (sparse(ONES, [0, 1], (-2, -3)), "negative"),
        (sparse(ONES, [0, 1], (2**30, 2**30)), "not fit in memory"),
        (sparse(ONES, [0, 1], (2**62, 2**62)), "not fit in memory"),
    ],
    ids=range(14),
)
def test_wrong_sparse_initialiser(stored: SparseTensorProto, part: str) -> None:
    stored.values.name = "w"
    model = build([node("Add", ["x", "w"], ["y"])], [1, 3])
    model.graph.sparse_initializer.append(stored)
    assert_wrong(model, "tensor 'w'", part)


def test_a_name_that_is_sparse_and_dense() -> None:
    model = build([node("Add", ["x", "w"], ["y"])], [3], {"w": ONES})
    model.graph.sparse_initializer.append(sparse(ONES, [0, 1], (3,)))
    assert_wrong(model, "'w' is defined 2 times")


# Nodes ------------------------------------------------------------------------------

FORMS: dict[str, tuple[dict[str, Any], list[float]]] = {
    "dense": ({"value": numpy_helper.from_array(ONES * 3)}, [3.0, 3.0]),
    "sparse": ({"sparse_value": sparse(ONES, [0, 1], (2,))}, [1.0, 1.0]),
    "float": ({"value_float": 0.1}, [np.float32(0.1)] * 2),
    "floats": ({"value_floats": [0.5, 0.1]}, [0.5, np.float32(0.1)]),
    "int": ({"value_int": -3}, [-3.0, -3.0]),
    "ints": ({"value_ints": [7, 2**40]}, [7.0, 2.0**40]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("opset", [13, defs.onnx_opset_version()])
def test_constant_node(form: str, opset: int) -> None:
    attributes, expected = FORMS[form]
    nodes = [
        node("Constant", [], ["c"], **attributes),
        node("Cast", ["c"], ["d"], to=TensorProto.DOUBLE),
        node("Mul", ["x", "d"], ["y"]),
    ]
    model = build(nodes, [2], opset=opset, element=TensorProto.DOUBLE)
    np.testing.assert_array_equal(matrix_of(model), np.diag(expected))


@pytest.mark.parametrize(
    ("attributes", "part"),
    [
        ({}, "0 attributes"),
        ({"value_int": 1, "value_float": 1.0}, "2 attributes"),
        ({"value_string": "1"}, "'value_string' is no tensor"),
        ({"value_strings": ["1", "2"]}, "'value_strings' is no tensor"),
        ({"value_int": 1.0}, "wrong type"),
        ({"value_of": 1}, "no attribute"),
    ],
    ids=str,
)
def test_wrong_constant_node(attributes: dict[str, Any], part: str) -> None:
    constant = node("Constant", [], ["c"], **attributes)
    model = build([constant, node("Add", ["x", "c"], ["y"])], [1, 3])
    assert_wrong(model, "Constant 'c'", part)


# Versions ---------------------------------------------------------------------------


@pytest.mark.parametrize("opset", range(7, defs.onnx_opset_version() + 1))
def test_every_opset(opset: int) -> None:
    nodes = [
        node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        node("Relu", ["h"], ["r"]),
        node("Flatten", ["r"], ["f"]),
        node("Mul", ["f", "b"], ["y"]),
    ]
    constants = {"w": NUMBERS.astype(np.float32), "b": ONES}
    network = load(build(nodes, [1, 3], constants, opset=opset))
    assert network.neurons == 2


@pytest.mark.parametrize("ir_version", [0, 1, 3, 4, 8, 10, 13, 99])
def test_every_ir_version(ir_version: int) -> None:
    model = build([node("Relu", ["x"], ["y"])], [1, 3], ir_version=ir_version)
    assert load(model).neurons == 3
