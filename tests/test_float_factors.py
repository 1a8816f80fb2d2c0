"""Factors that a runtime multiplies with each other, or with weights, before values."""

import numpy as np
import onnxruntime
import pytest
from float_graphs import Constants, float32, model_of, node
from onnx import ModelProto, NodeProto
from runtime_errors import executed

from geolip.errors import CertificationError
from geolip.execution import forward_error
from geolip.execution.arithmetic import LARGEST
from geolip.execution.graph import output_of

# Each step multiplies by 2^60.
STEPS = {
    "Mul": lambda h, y: node("Mul", f"{h} a", y),
    "Div": lambda h, y: node("Div", f"{h} d", y),
    "BatchNormalization": lambda h, y: node(
        "BatchNormalization", f"{h} s z z v", y, epsilon=0.0
    ),
}
CONSTANTS = {
    "K": np.full((1, 1, 1, 1), 2.0**60, np.float32),
    "a": np.full((1, 1, 1), 2.0**60, np.float32),
    "d": np.full((1, 1, 1), 2.0**-60, np.float32),
    "s": float32(2.0**30),
    "z": float32(0),
    "v": float32(2.0**-60),
}


def scaled(*kinds: str, between: str = "Identity") -> ModelProto:
    """Return a convolution with steps behind it, of which another node is the first."""
    steps = [STEPS[kind](f"h{k}", f"h{k + 1}") for k, kind in enumerate(kinds)]
    first = [node("Conv", "x K", "h"), node(between, "h", "h0")]
    last = node("Identity", f"h{len(kinds)}", "y")
    return model_of([*first, *steps, last], CONSTANTS, (1, 1, 2, 2))


def test_a_runtime_folds_factors_that_overflow() -> None:
    x = np.full((1, 4), 2.0**-100, np.float32)
    model = scaled("Mul", "Mul")
    assert (executed(model, "ORT_DISABLE_ALL", x) == 2.0**80).all()
    with np.errstate(over="ignore"):
        assert np.isinf(CONSTANTS["K"] * CONSTANTS["a"] * CONSTANTS["a"]).all()
    with pytest.raises(CertificationError, match=r"Mul 'h2'.*range"):
        forward_error(model, (0, 2.0**-100))


@pytest.mark.parametrize("second", STEPS)
@pytest.mark.parametrize("first", STEPS)
def test_factors_that_overflow(first: str, second: str) -> None:
    region = (0, 2.0**-100)
    assert forward_error(scaled(first), region).error <= 2.0**5
    with pytest.raises(CertificationError, match=f"{second} 'h2'.*range"):
        forward_error(scaled(first, second), region)
    # What is stored in between is not folded.
    assert forward_error(scaled(first, between="Relu"), region).error <= 2.0**5


def test_factors_that_overflow_beyond_an_addition() -> None:
    nodes = [
        node("Conv", "x K", "g"),
        node("Mul", "g a", "h"),
        node("Add", "x h", "i"),
        node("Concat", "i x", "j", axis=1),
        node("Mul", "j a", "y"),
    ]
    with pytest.raises(CertificationError, match=r"Mul 'y'.*range"):
        forward_error(model_of(nodes, CONSTANTS, (1, 1, 2, 2)), (0, 2.0**-100))


def chain(length: int) -> ModelProto:
    """Return layers that add to, and stack on, what no activation ever stores."""
    rng = np.random.default_rng(0)
    nodes: list[NodeProto] = []
    constants: Constants = {}
    last, stack = "x", "x"
    for k in range(length):
        constants[f"W{k}"] = np.float32(rng.normal(size=(4, 4)) / 400)
        constants[f"V{k}"] = np.float32(rng.normal(size=(4 * (k + 1), 4)) / 4 / (k + 1))
        nodes += [
            node("Relu", last, f"h{k}"),
            node("MatMul", f"h{k} W{k}", f"i{k}"),
            node("Add", f"{last} i{k}", f"j{k}"),
            node("MatMul", f"{stack} V{k}", f"k{k}"),
            node("Concat", f"{stack} k{k}", f"l{k}", axis=1),
            node("Flatten", f"l{k}", f"m{k}"),
        ]
        last, stack = f"j{k}", f"m{k}"
    return model_of(
        [*nodes, node("Concat", f"{last} {stack}", "y", axis=1)], constants, (1, 4)
    )


def test_long_chains_of_additions_are_no_products() -> None:
    """2^300 would be more than float32 holds."""
    model = chain(150)
    output, _ = output_of(model, 0, 1)
    assert output.product < 100
    assert forward_error(model, (0, 1)).error < 1


def test_the_largest_product_that_is_bounded() -> None:
    def product(factor: float) -> ModelProto:
        return model_of([node("Mul", "x c", "y")], {"c": float32(factor)}, (1,))

    assert np.isfinite(forward_error(product(LARGEST / 100), (0, 1)).error)
    (stored,) = output_of(product(2.0**20), 0, 2.0**20)[:1]
    assert 2.0**40 <= stored.product <= 2.0**40 * 1.001


def test_factors_before_a_matrix_product() -> None:
    """ONNX Runtime moves them behind it, which an assumption excludes by name."""
    constants = {"c": float32(1e30), "W": np.full((1, 1), 1e-15, np.float32)}
    nodes = [node("Mul", "x c", "h"), node("MatMul", "h W", "y")]
    model = model_of(nodes, constants, (1, 1))
    statement = forward_error(model, (0, 2e-30))
    x = np.full((1, 1), 1.3e-30, np.float32)
    real = float(x[0, 0]) * float(constants["c"][0]) * float(constants["W"][0, 0])
    (moved,) = executed(model, "ORT_ENABLE_ALL", x)
    assert abs(moved[0] - real) > statement.error
    assert any("MatMulScaleFusion" in text for text in statement.assumptions)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["MatMulScaleFusion"],
    )
    assert abs(session.run(None, {"x": x})[0].item() - real) <= statement.error
