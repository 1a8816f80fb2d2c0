"""Models of several inputs and outputs, and the part between two tensors of a graph."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import refused, run, succeeded
from importer_models import node, weights
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.shape_inference import infer_shapes

import geolip
from geolip.certificate import Certificate
from geolip.checking import check
from geolip.errors import ModelError, RefusedCertificateError, UnknownTensorError
from geolip.execution import forward_error
from geolip.importer import load

W, V, U = weights(0, 3, 4), weights(1, 4, 2), weights(2, 5, 2)


def model(
    inputs: Sequence[str] = ("x", "u"),
    outputs: Sequence[str] = ("y", "p"),
    stored: Sequence[str] = ("w", "v", "c"),
) -> ModelProto:
    """Return a model with logits ``y`` of ``x`` and a probability ``p`` of both."""
    nodes = [
        node("MatMul", ["x", "w"], ["a"]),
        node("Relu", ["a"], ["h"]),
        node("MatMul", ["h", "v"], ["y"]),
        node("MatMul", ["u", "c"], ["b"]),
        node("Add", ["y", "b"], ["s"]),
        node("Softmax", ["s"], ["p"]),
    ]
    constants = {"w": W, "v": V, "c": U, "u": weights(3, 1, 5)}
    shapes = {"x": (1, 3), "u": (1, 5)}
    graph = helper.make_graph(
        nodes,
        "two",
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, shapes[n])
            for n in inputs
        ],
        [helper.make_empty_tensor_value_info(n) for n in outputs],
        [numpy_helper.from_array(constants[n], n) for n in stored],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


WHOLE = infer_shapes(model())


def assert_is(found: geolip.importer.Network, *matrices: NDArray[Any]) -> None:
    """Compare with ReLU between matrices that are applied from the right."""
    x = weights(4, 7, len(matrices[0]))
    expected = x
    for k, matrix in enumerate(matrices):
        expected = (np.maximum(expected, 0) if k else expected) @ matrix
    np.testing.assert_allclose(found.evaluate(x.T).T, expected, rtol=1e-5, atol=1e-6)


def test_an_output_is_chosen() -> None:
    network = load(WHOLE, output_name="y")
    assert (network.input_name, network.output_name) == ("x", "y")
    assert_is(network, W, V)


def test_any_tensor_may_be_the_output() -> None:
    network = load(WHOLE, output_name="a")
    assert network.blocks == ()
    assert_is(network, W)
    assert_is(load(WHOLE, output_name="b"), U)  # which depends on the other input


def test_any_tensor_may_be_the_input() -> None:
    network = load(WHOLE, input_name="a", output_name="y")
    assert network.input_shape == (1, 4)
    assert_is(network, np.eye(4, dtype=np.float32), V)
    assert_is(load(WHOLE, input_name="h", output_name="y"), V)
    assert_is(load(WHOLE, input_name="h", output_name="h"), np.eye(4))


def test_other_inputs_must_not_matter() -> None:
    with pytest.raises(ModelError, match=r"'s' depends on 'u' besides 'x'"):
        load(WHOLE, input_name="x", output_name="s")
    with pytest.raises(ModelError, match=r"'s' depends on 'u' besides 'h'"):
        load(WHOLE, input_name="h", output_name="s")
    with pytest.raises(ModelError, match=r"inputs \('x', 'u'\).*depends on 'u', 'x'"):
        load(WHOLE, output_name="s")


def test_a_named_input_leaves_the_others_at_their_defaults() -> None:
    fixed = infer_shapes(model(stored=("w", "v", "c", "u")))
    with pytest.raises(ModelError, match="a caller may replace them"):
        load(fixed, output_name="s")
    network = load(fixed, input_name="x", output_name="s")
    expected = weights(3, 1, 5) @ U
    found = network.evaluate(np.zeros((3, 1))).T
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    # An input with a default is an input all the same.
    assert_is(load(fixed, input_name="u", output_name="b"), U)


def test_a_choice_that_is_left_open() -> None:
    with pytest.raises(ModelError, match=r"2 outputs \('y', 'p'\): name one"):
        load(WHOLE)
    constant = model(outputs=["q"])
    constant.graph.node.append(node("Identity", ["w"], ["q"]))
    with pytest.raises(ModelError, match="'q' depends on none of them"):
        load(constant)


def test_names_that_are_no_tensors() -> None:
    for name in ("z", "", "w"):
        with pytest.raises(UnknownTensorError, match="no tensor"):
            load(WHOLE, input_name=name, output_name="y")
        with pytest.raises(UnknownTensorError, match="no tensor"):
            load(WHOLE, input_name="x", output_name=name)
    with pytest.raises(UnknownTensorError, match="infer_shapes"):
        load(model(), input_name="h", output_name="y")
    with pytest.raises(UnknownTensorError, match="from 'input' to 'output'"):
        load([W.T], input_name="x")
    assert load([W.T], input_name="input", output_name="output").output.size == 4


def test_a_certificate_knows_its_tensors(tmp_path: Path) -> None:
    path, proof = tmp_path / "model.onnx", tmp_path / "proof.json"
    path.write_bytes(WHOLE.SerializeToString())
    report = geolip.certify(path, input_name="a", output_name="y", exact=True)
    assert report.trust == "exact"
    assert report.bound <= 1.001 * np.abs(V).sum(axis=0).max()
    assert report.certificate is not None
    assert "from tensor 'a' to tensor 'y'" in report.certificate.claim
    report.certificate.save(proof)
    assert check(path, Certificate.load(proof)).bound == report.bound
    # It is about no other part, neither in words nor by its weights.
    text = proof.read_text()
    for other, why in (("h", "weights differ"), ("z", "names tensors")):
        proof.write_text(text.replace("'a'", f"'{other}'").replace('"a"', f'"{other}"'))
        with pytest.raises(RefusedCertificateError, match=why):
            check(path, Certificate.load(proof))
    proof.write_text(text.replace("'a'", "'h'"))
    with pytest.raises(RefusedCertificateError, match="claim"):
        Certificate.load(proof)


def test_float_execution_of_a_part() -> None:
    whole = forward_error(WHOLE, (-1, 1), output_name="y")
    part = forward_error(WHOLE, (-1, 1), "h", "y")
    assert 0 < part.error < whole.error


def test_the_command_line(tmp_path: Path) -> None:
    path, proof = str(tmp_path / "model.onnx"), str(tmp_path / "proof.json")
    Path(path).write_bytes(WHOLE.SerializeToString())
    assert "'y', 'p'" in refused(3, "certify", path)
    assert "no tensor 'z'" in refused(2, "certify", path, "--output-name", "z")
    ends = ("--input-name", "a", "--output-name", "y")
    assert run("certify", path, *ends, "--certificate", proof).exit_code == 0
    assert "accepted" in succeeded("verify", path, proof)
    lines = succeeded("inspect", path, *ends).splitlines()
    assert lines[1].split()[1] == "a"
    assert lines[3].split()[0] == "y"
