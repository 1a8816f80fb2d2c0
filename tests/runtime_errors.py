"""How far from the real function a runtime is."""

import numpy as np
import onnxruntime
from onnx import ModelProto

from geolip import importer

LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL")


def executed(model: ModelProto, level: str, points: np.ndarray) -> np.ndarray:
    """Return what a runtime makes of the points, which are rows."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, level
    )
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    shape = importer.load(model).input_shape
    outputs = [session.run(None, {"x": x.reshape(shape)})[0].ravel() for x in points]
    return np.array(outputs, dtype=np.float64)


def measured(
    model: ModelProto, region: tuple[float, float], count: int = 12
) -> np.ndarray:
    """Return the largest errors (m,) of a runtime at random points and corners."""
    rng = np.random.default_rng(5)
    network = importer.load(model)
    size = network.input_size
    points = np.float32(
        [
            *rng.uniform(*region, (count, size)),
            *rng.choice(region, (count, size)),
            np.full(size, region[0]),
            np.full(size, region[1]),
        ]
    )
    real = network.evaluate(points.T.astype(np.float64)).T
    runs = [np.abs(executed(model, level, points) - real) for level in LEVELS]
    return np.asarray(np.max(runs, axis=(0, 1)))
