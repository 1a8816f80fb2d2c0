"""Models whose bounds were once below the truth, or of another function."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from exact_operators import exact
from importer_models import build, integers
from onnx import (
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
)

import geolip
from geolip.errors import ModelError, UnsupportedModelError
from geolip.importer import load


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def model(
    nodes: Sequence[NodeProto],
    stored: dict[str, Any],
    shape: Sequence[int] = (1,),
    element: int = TensorProto.DOUBLE,
    known: Sequence[ValueInfoProto] = (),
) -> ModelProto:
    """Return a model from ``x`` to ``y``; numbers are stored as its element type."""
    dtype = helper.tensor_dtype_to_np_dtype(element)
    constants = {
        name: value if isinstance(value, np.ndarray) else np.asarray(value, dtype)
        for name, value in stored.items()
    }
    made = build(nodes, shape, constants, opset=18, element=element)
    made.graph.value_info.extend(known)
    return made


SLICE = {"s": integers(1), "e": integers(2)}

# Models from x to a factor times x that is not known: what factor it should be.
FACTORS: dict[str, tuple[list[NodeProto], dict[str, Any], int]] = {
    "what is left of biases once nothing varies": (
        [
            node("Concat", "x c", "t", axis=0),
            node("Add", "t d", "t1"),
            node("Sub", "t1 f", "t2"),
            node("Slice", "t2 s e", "u"),
            node("Mul", "x u", "y"),
        ],
        {"c": [2.0**30], "d": [0.0, 2.0**-30], "f": [0.0, 2.0**30], **SLICE},
        TensorProto.FLOAT,
    ),
    "unknown constants that went through varying tensors": (
        [
            node("Exp", "c", "k"),
            node("Concat", "x k", "t", axis=0),
            node("Slice", "t s e", "u"),
            node("Mul", "x u", "y"),
        ],
        {"c": [1.0], **SLICE},
        TensorProto.FLOAT,
    ),
    "products that underflow": (
        [
            node("Mul", "a a", "b"),
            node("Mul", "b c", "d"),
            node("Mul", "d c", "f"),
            node("Mul", "x f", "y"),
        ],
        {"a": [2.0**-600], "c": [2.0**600]},
        TensorProto.DOUBLE,
    ),
    "matrix products that underflow": (
        [
            node("MatMul", "a a", "b"),
            node("Mul", "b c", "d"),
            node("Mul", "d c", "f"),
            node("Mul", "x f", "y"),
        ],
        {"a": [1e-200], "c": [1e200]},
        TensorProto.DOUBLE,
    ),
    "squares that lose digits to underflow": (
        [
            node("ReduceL2", "a", "b"),
            node("Div", "a b", "d"),
            node("Mul", "x d", "y"),
        ],
        {"a": [1.3 * 2.0**-536]},
        TensorProto.DOUBLE,
    ),
    "comparisons of what underflows": (
        [
            node("Mul", "a a", "b"),
            node("Greater", "b z", "p"),
            node("Where", "p one z", "f"),
            node("Mul", "x f", "y"),
        ],
        {"a": [2.0**-600], "z": [0.0], "one": [1.0]},
        TensorProto.DOUBLE,
    ),
}


@pytest.mark.parametrize("what", FACTORS)
def test_factors_of_unknown_accuracy_are_estimates(what: str) -> None:
    nodes, stored, element = FACTORS[what]
    report = geolip.certify(model(nodes, stored, element=element), exact=True)
    assert report.trust == "estimate"
    assert report.certificate is None


def test_composites_do_not_guess_what_a_cast_is_to() -> None:
    """The first cast is to BOOL, so that h1 is 1."""
    nodes = [
        node("Equal", "x x", "b"),
        node("CastLike", "c b", "hb"),
        node("CastLike", "hb x", "h1"),
        node("Sigmoid", "x", "s"),
        node("Mul", "x h1", "g"),
        node("Mul", "g s", "y"),
    ]
    with pytest.raises(UnsupportedModelError):
        load(model(nodes, {"c": 1e-3}))


def test_casts_to_the_type_of_a_tensor_with_a_type_of_its_own() -> None:
    nodes = [
        node("EyeLike", "x", "eye", dtype=TensorProto.FLOAT16),
        node("CastLike", "c eye", "hb"),
        node("CastLike", "hb x", "h1"),
        node("Mul", "x h1", "y"),
    ]
    with pytest.raises(UnsupportedModelError, match="which rounds them"):
        load(model(nodes, {"c": 0.3}, (1, 1)))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot_entries_are_the_given_ones(axis: int) -> None:
    nodes = [node("OneHot", "i d v", "o", axis=axis), node("Mul", "x o", "y")]
    stored = {"i": integers(1, -1), "d": np.array(3), "v": [-1e9, 0.1]}
    shape = (3, 2) if axis == 0 else (2, 3)
    network = load(model(nodes, stored, shape, TensorProto.FLOAT))
    off, on = -1e9, float(np.float32(0.1))
    rows = np.array([[off, on, off], [off, off, on]])
    (operator,) = network.output.terms.values()
    expected = rows.T if axis == 0 else rows
    assert (np.diag(operator.dense()).reshape(shape) == expected).all()


def test_a_node_besides_does_not_redefine_the_input() -> None:
    nodes = [
        node("Split", "c", "a b", axis=0, num_outputs=2),
        node("Add", "a b", "t"),
        node("Add", "t t", "y"),
    ]
    known = [helper.make_tensor_value_info("a", TensorProto.DOUBLE, [1])]
    cut = model(nodes, {"c": [1.0, 2.0]}, known=known)
    report = geolip.certify(cut, input_name="a", output_name="y")
    assert 2 <= report.bound < 2.001


@pytest.mark.parametrize(
    ("declared", "message"),
    [(["u", 2], "no fixed shape"), ([1, 2], "has shape (2, 2)")],
)
def test_inner_inputs_have_the_shape_that_they_have(declared, message) -> None:
    nodes = [node("Reshape", "x s", "h"), node("ReduceSum", "h", "y", keepdims=0)]
    known = [helper.make_tensor_value_info("h", TensorProto.DOUBLE, declared)]
    cut = model(nodes, {"s": integers(-1, 2)}, (1, 4), known=known)
    with pytest.raises(ModelError) as caught:
        load(cut, input_name="h")
    assert message in str(caught.value)


def test_nothing_comes_after_a_softmax_in_a_composite() -> None:
    nodes = [
        node("Softmax", "x", "s"),
        node("Sigmoid", "s", "t"),
        node("Mul", "s t", "y"),
    ]
    with pytest.raises(UnsupportedModelError, match="has to be last"):
        load(model(nodes, {}, (1, 3)))


@pytest.mark.parametrize(("element", "bits"), [(TensorProto.FLOAT, 24), (11, 53)])
def test_lower_bounds_know_what_cancelled_in_biases(element: int, bits: int) -> None:
    """The sum of the b is lost beside the first of them, and F is zero."""
    large, small = 2.0**bits, 2.0 ** (bits - 56 if bits == 24 else 0)
    nodes = [
        node("Abs", "x", "a"),
        node("Neg", "a", "na"),
        node("Concat", "na z z", "v", axis=1),
        node("Mul", "v k", "v2"),
        node("Add", "v2 b", "t"),
        node("MatMul", "t W", "t1"),
        node("Add", "t1 h", "t2"),
        node("Relu", "t2", "y"),
    ]
    stored = {
        "z": [[0.0]],
        "k": [[small / 2**8]],
        "b": [[large, -small, -large]],
        "W": [[1.0], [1.0], [1.0]],
        "h": [[small / 2]],
    }
    report = geolip.certify(model(nodes, stored, (1, 1), element))
    assert report.lower_bound == 0


def test_doubts_of_biases_hold() -> None:
    """Against fractions, where several operators computed them."""
    random = np.random.default_rng(0)
    for _ in range(20):
        W, V = random.standard_normal((2, 6, 6))
        b, c = random.standard_normal((2, 6)) * 8.0 ** random.integers(-2, 3, (2, 6))
        nodes = [
            node("Add", "x b", "t"),
            node("MatMul", "t W", "u"),
            node("Sub", "u c", "v"),
            node("MatMul", "v V", "w"),
            node("Mul", "w c", "y"),
        ]
        stored = {"W": W, "V": V, "b": b, "c": c}
        output = load(model(nodes, stored, (1, 6))).output
        B, C = exact(b), exact(c)
        real = ((B @ exact(W) - C) @ exact(V)) * C
        missed = abs(exact(output.bias) - real).max()
        assert 0 < missed <= output.doubt <= 1e-10 * float(abs(real).max())
