"""Faults that other tools had or were near to, each as a network with a known constant.

Source: published bug reports and counterexamples; where one is known by a name or a
number, the test says so.
"""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from geolip import certify
from geolip.linear import Convolution


def certified(model: object, norm: str) -> float:
    """Return a bound that exact arithmetic has confirmed."""
    report = certify(model, norm, exact=True)
    assert report.trust == "exact", report.notes
    return report.bound


def model_of(
    nodes: list, tensors: dict[str, np.ndarray], x: list[int], y: list[int]
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, y)],
        [numpy_helper.from_array(np.float32(W), name) for name, W in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_coupled_multipliers(norm):
    """relu(x) - relu(x - 1) rises by one; LipSDP-Network proves zero for it.

    Pauli et al. (2021) found that multipliers may not couple different neurons.
    """
    model = model_of(
        [
            helper.make_node("Gemm", ["x", "W", "b"], ["z"]),
            helper.make_node("Relu", ["z"], ["a"]),
            helper.make_node("MatMul", ["a", "V"], ["y"]),
        ],
        {"W": [[1, 1]], "b": [0, -1], "V": [[1], [-1]]},
        [1, 1],
        [1, 1],
    )
    assert certified(model, norm) >= 1.0


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_slopes_outside_of_zero_to_one(alpha, norm):
    """LeakyRelu's slope may be negative or above one; [0, 1] would prove too little."""
    nodes = [helper.make_node("LeakyRelu", ["x"], ["y"], alpha=alpha)]
    bound = certified(model_of(nodes, {}, [1, 3], [1, 3]), norm)
    steepest = max(abs(np.float32(alpha)), 1.0)
    assert steepest <= bound <= steepest * (1 + 1e-4)


@pytest.mark.parametrize("scale", [1e-5, 1e5])
def test_power_iteration_is_no_upper_bound(scale):
    """An epsilon in the normalisation made 1e-5 into 9.4e-6 (gloro, issue 8)."""
    random = np.random.default_rng(0)
    Q, _ = np.linalg.qr(random.standard_normal((6, 6)))
    # A starting vector that is orthogonal to the largest singular vector stays so.
    W = scale * (Q * [1.0, 0.9, 0.5, 0.1, 0.1, 0.1]) @ Q.T
    largest = np.linalg.norm(W.astype(np.float32).astype(float), 2)
    assert certified([W.astype(np.float32).astype(float)], "2") >= largest * (1 - 1e-12)


ONES = np.ones((1, 1, 3, 3))
CORNERS = np.array([[[[1.0, -1.0], [-1.0, 1.0]]]])
CHANNELS = np.linspace(-1, 1, 3 * 2 * 9).reshape(3, 2, 3, 3)

# The kernel, and the input's size, stride, dilation and padding along both axes.
CONVOLUTIONS = {
    "ones, where a reshaped kernel is off by a factor of three": (ONES, 8, 1, 1, 1),
    "stride and dilation, where windows overlap less often": (ONES, 9, 2, 2, 0),
    "padding that is not circular": (CORNERS, 5, 1, 1, 1),
    "many channels": (CHANNELS, 4, 1, 1, 1),
}


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())
def test_norms_of_convolutions(case, norm):
    """Against the unrolled matrix (PyTorch issue 99149, among others)."""
    weights, n, stride, dilation, pad = case
    kernel = np.float32(weights)
    operator = Convolution(
        kernel.astype(float),
        (n, n),
        (stride, stride),
        (dilation, dilation),
        ((pad, pad), (pad, pad)),
    )
    node = helper.make_node(
        "Conv",
        ["x", "K"],
        ["y"],
        strides=[stride] * 2,
        dilations=[dilation] * 2,
        pads=[pad] * 4,
    )
    shape = [1, len(kernel), *operator.out_space]
    model = model_of([node], {"K": kernel}, [1, kernel.shape[1], n, n], shape)
    exact = {"inf": np.inf, "2": 2}[norm]
    truth = np.linalg.norm(operator.dense(), exact)
    assert truth * (1 - 1e-12) <= certified(model, norm) <= truth * (1 + 1e-4)


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_no_weight_is_ignored(layer, norm):
    """Scaling any layer by 128 scales the bound, exactly."""
    random = np.random.default_rng(1)
    weights = [random.standard_normal((m, n)) for n, m in ((3, 4), (4, 5), (5, 2))]
    scaled = [128 * W if k == layer else W for k, W in enumerate(weights)]
    before, after = (certify(W, norm, accuracy=1e-9).bound for W in (weights, scaled))
    assert after == pytest.approx(128 * before, rel=1e-7)


@pytest.mark.parametrize("transposed", [0, 1])
def test_transposed_weights(transposed):
    """Gemm's flag, on a matrix whose two norms are far apart."""
    W = np.float32([[1, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    node = helper.make_node("Gemm", ["x", "W"], ["y"], transB=transposed)
    bound = certified(model_of([node], {"W": W}, [1, 4], [1, 4]), "inf")
    # y = x W or x W'; rows of the map are columns or rows of W.
    truth = np.abs(W if transposed else W.T).sum(axis=1).max()
    assert truth == 4.0
    assert truth <= bound <= truth * (1 + 1e-10)
    rectangular = np.float32([[1, 2, 3]])
    shape = [1, 3] if transposed else [1, 1]
    model = model_of([node], {"W": rectangular}, shape, [1, 4 - shape[1]])
    truth = 6.0 if transposed else 3.0
    assert truth <= certified(model, "inf") <= truth * (1 + 1e-10)


def test_a_residual_link_is_added():
    """x + relu(x) has slope two; a reader of one branch alone would prove one."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Add", ["x", "a"], ["y"]),
    ]
    model = model_of(nodes, {}, [1, 3], [1, 3])
    for norm in ("inf", "2"):
        assert 2.0 <= certified(model, norm) <= 2.0 * (1 + 1e-4)
