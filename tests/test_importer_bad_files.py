"""Files, bytes and other things that are no model."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from importer_models import node
from importer_refusals import assert_wrong, build, relu_model
from onnx import TensorProto, save_model

from geolip.errors import UsageError
from geolip.importer import load


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.onnx does not exist"):
        load(tmp_path / "nowhere.onnx")


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        load(str(tmp_path))


def test_text_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.onnx"
    path.write_text("This is no network.\n")
    assert_wrong(path, "notes.onnx is not an ONNX model")


def test_bytes_that_are_no_model() -> None:
    content = relu_model().SerializeToString()
    assert_wrong(b"This is no network.", "19 bytes is not an ONNX model")
    assert_wrong(b"", "no input")
    for length in range(1, len(content)):
        assert_wrong(content[:length])


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()
    assert_wrong(path, "the graph has no input")


def test_truncated_file(tmp_path: Path) -> None:
    content = relu_model().SerializeToString()
    path = tmp_path / "half.onnx"
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        assert_wrong(path)


def test_missing_external_data(tmp_path: Path) -> None:
    weights = {"w": np.ones((3, 2), np.float32)}
    model = build([node("MatMul", ["x", "w"], ["y"])], constants=weights)
    path = tmp_path / "model.onnx"
    save_model(model, path, save_as_external_data=True, location="w", size_threshold=0)
    (tmp_path / "w").unlink()
    assert_wrong(path, "external data")


def test_external_data_of_a_model_in_memory() -> None:
    weights = {"w": np.ones((3, 2), np.float32)}
    model = build([node("MatMul", ["x", "w"], ["y"])], constants=weights)
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    assert_wrong(model, "'w'", "outside the model")
    constant = node("Constant", [], ["w"], value=model.graph.initializer[0])
    model = build([constant, node("Add", ["x", "w"], ["y"])])
    assert_wrong(model, "Constant 'w'", "outside the model")


@pytest.mark.parametrize("model", [3, None, relu_model, np.eye(2)])
def test_not_a_model(model: Any) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(model)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe.onnx"
    os.mkfifo(path)
    with pytest.raises(UsageError, match=r"not a regular file"):
        load(path)


@pytest.mark.parametrize("name", ["/dev/null", "/dev/zero"])
def test_device(name: str) -> None:
    with pytest.raises(UsageError, match=r"not a regular file|does not exist"):
        load(name)


@pytest.mark.parametrize("name", ["a\0b", "w" * 10**5, "\udcff.onnx", ""])
def test_odd_name(name: str) -> None:
    with pytest.raises(UsageError):
        load(name)


def test_file_that_protobuf_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)
    assert_wrong(path, "large.onnx has more than 2147483647 bytes")
