"""What can be imported: files, bytes, models and matrices."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from importer_models import build, node, weights
from onnx import save_model

from geolip.errors import UsageError
from geolip.importer import from_matrices, load, load_with_hash, read


def test_read_hashes_the_bytes_that_it_reads(tmp_path: Path) -> None:
    model = build([node("Relu", ["x"], ["y"])], [1, 3])
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    for given in (path, str(path)):
        parsed, digest = read(given)
        assert parsed == model
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert load(given).output_name == "y"
    content = model.SerializeToString()
    assert read(content) == (model, hashlib.sha256(content).hexdigest())
    assert load(content).output_name == "y"
    assert read(model)[0] is model
    assert read(model)[1] == hashlib.sha256(model.SerializeToString()).hexdigest()


def test_external_data_is_read_beside_the_model(tmp_path: Path) -> None:
    W = weights(0, 3, 2)
    model = build([node("MatMul", ["x", "w"], ["y"])], [1, 3], {"w": W})
    path = tmp_path / "model.onnx"
    save_model(model, path, save_as_external_data=True, location="w", size_threshold=0)
    (operator,) = load(path).output.terms.values()
    np.testing.assert_array_equal(operator.dense(), W.T.astype(float))


def test_matrices() -> None:
    W, V = weights(0, 4, 3), [[1.0, 2.0, 3.0, 4.0]]
    network = load([W, V])
    assert network.input_shape == (3,)
    assert [block.size for block in network.blocks] == [4]
    x = np.array([[1.0], [-2.0], [0.5]])
    expected = np.array(V) @ np.maximum(W @ x, 0.0)
    np.testing.assert_allclose(network.evaluate(x), expected, rtol=1e-6)
    assert load_with_hash([W, V])[1] == load_with_hash((W.tolist(), V))[1]
    assert load_with_hash([W, V])[1] != load_with_hash([W, np.negative(V)])[1]


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        ([], "empty"),
        ([[1.0, 2.0]], "shape"),
        ([np.zeros((0, 3))], "shape"),
        ([np.eye(2), np.ones((1, 3))], "matrix 1 has 3 columns"),
        ([np.eye(2), [[1.0, np.nan]]], "matrix 1 has NaN"),
        ([np.eye(2) * 1j], "real numbers"),
        ([[["a", "b"]]], "real numbers"),
        ([[[1.0], [2.0, 3.0]]], "real numbers"),
        ([np.ones((1, 1), np.longdouble)], "real numbers"),
        ([np.array([[2**53 + 1]])], "integers"),
    ],
)
def test_wrong_matrices(matrices: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_matrices(matrices)
