"""What an imported network computes, compared with onnxruntime."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from geolip.importer import load
from geolip.network import Network


def evaluate(network: Network, x: NDArray[Any]) -> NDArray[Any]:
    """Return the network's output tensor for one input tensor."""
    column = x.astype(float).reshape(-1, 1)
    return network.evaluate(column).reshape(network.output_shape)


def assert_like_onnxruntime(model: ModelProto, shape: Sequence[int]) -> Network:
    """Compare the imported network with onnxruntime at three random points."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    network = load(model)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.standard_normal(shape).astype(np.float32)
        (expected,) = session.run(None, {"x": x})
        assert network.output_shape == expected.shape
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        np.testing.assert_allclose(evaluate(network, x), expected, atol=1e-5 * scale)
    return network
