"""Graphs that contradict themselves or leave the network's shape open."""

from collections.abc import Sequence

import numpy as np
import pytest
from importer_models import node
from importer_refusals import assert_wrong, build, relu_model
from onnx import ModelProto, TensorProto, helper

from geolip.importer import load


def test_empty_model() -> None:
    assert_wrong(ModelProto(), "no input")


def test_no_output() -> None:
    model = relu_model()
    del model.graph.output[:]
    assert_wrong(model, "no output")


def test_output_that_nothing_computes() -> None:
    model = relu_model()
    model.graph.output[0].name = "z"
    assert_wrong(model, "'z'", "computed by no node")


def test_several_inputs_or_outputs() -> None:
    other = helper.make_tensor_value_info("u", TensorProto.FLOAT, [1])
    model = build([node("Add", ["x", "u"], ["y"])])
    model.graph.input.append(other)
    assert_wrong(model, "2 inputs", "'x', 'u'")
    # One that does not matter does not stand in the way.
    model = relu_model()
    model.graph.input.append(other)
    assert load(model).input_name == "x"
    model = relu_model()
    model.graph.output.append(helper.make_empty_tensor_value_info("x"))
    assert_wrong(model, "2 outputs", "'y', 'x'")


def test_initialiser_that_is_also_an_input() -> None:
    weights = {"w": np.ones((3, 2), np.float32)}
    model = build([node("MatMul", ["x", "w"], ["y"])], constants=weights)
    model.graph.input.append(
        helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2])
    )
    assert_wrong(model, "'w'", "also inputs")


def test_cycle() -> None:
    nodes = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])]
    model = build([*nodes, node("Relu", ["b"], ["y"])])
    assert_wrong(model, "Add 'a'", "'b'", "cycle")


def test_nodes_out_of_order() -> None:
    model = build([node("Relu", ["a"], ["y"]), node("Tanh", ["x"], ["a"])])
    assert_wrong(model, "Relu 'y'", "'a'", "out of order")


def test_missing_tensor() -> None:
    model = build([node("Add", ["x", "lost"], ["y"], name="sum")])
    assert_wrong(model, "Add 'sum'", "'lost'")


@pytest.mark.parametrize("name", ["x", "w", "h"])
def test_duplicate_tensor(name: str) -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["h"]),
        node("Tanh", ["h"], [name]),
        node("Relu", ["h"], ["y"]),
    ]
    model = build(nodes, constants={"w": np.ones((3, 2), np.float32)})
    assert_wrong(model, repr(name), "2 times")


@pytest.mark.parametrize("opset", [6, 999])
def test_unknown_opset(opset: int) -> None:
    model = relu_model()
    model.opset_import[0].version = opset
    assert_wrong(model, f"opset version is {opset}")


def test_no_opset() -> None:
    model = relu_model()
    del model.opset_import[:]
    assert_wrong(model, "opset version is none")


@pytest.mark.parametrize("element", [TensorProto.INT64, TensorProto.STRING, 0])
def test_input_that_is_not_real(element: int) -> None:
    model = build([node("Relu", ["x"], ["y"])], element=element)
    assert_wrong(model, "input 'x'", "expected FLOAT")


def test_input_without_shape() -> None:
    assert_wrong(build([node("Relu", ["x"], ["y"])], shape=None), "input 'x'", "rank")


def test_negative_dimension() -> None:
    assert_wrong(build([node("Relu", ["x"], ["y"])], shape=(-1, 3)), "input 'x'", "-1")


@pytest.mark.parametrize("size", [2**48, 2**62])
def test_input_of_impossible_size(size: int) -> None:
    assert_wrong(build([node("Relu", ["x"], ["y"])], shape=(8, size)), "input 'x'")


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        (("n", 3, "height", 5), "(n, 3, height, 5)"),
        ((1, None), "(1, ?)"),
        ((None, None), "(?, ?)"),
        ((2, 0, 3), "(2, ?, 3)"),
    ],
)
def test_free_dimension_after_the_first(
    shape: Sequence[int | str | None], shown: str
) -> None:
    model = build([node("Relu", ["x"], ["y"])], shape)
    assert_wrong(model, "input 'x'", f"shape {shown}", "export", "fixed shape")
