"""Graphs of many operators, with random float32 constants."""

from collections.abc import Callable, Sequence

import numpy as np
from float_graphs import Constants, model_of, node
from onnx import ModelProto


class Draw:
    """Random float32 constants, collected under their names."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.constants: Constants = {}

    def normal(self, **shapes: Sequence[int]) -> None:
        for name, shape in shapes.items():
            self.constants[name] = np.float32(self.rng.normal(size=shape))

    def batch(self, suffix: str, channels: int) -> None:
        self.normal(**{name + suffix: (channels,) for name in ("s", "b", "m")})
        self.constants[f"v{suffix}"] = np.float32(self.rng.uniform(0.01, 4, channels))


def fully_connected(draw: Draw) -> ModelProto:
    draw.normal(V=(12, 20), c=(20,), W=(20, 20), b=(20,), U=(20, 3), a=(3,))
    nodes = [
        node("MatMul", "x V", "h"),
        node("Add", "c h", "i"),
        node("Relu", "i", "j"),
        node("Gemm", "j W b", "k"),
        node("LeakyRelu", "k", "l", alpha=0.3),
        node("Gemm", "l U a", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 12))


def saturating(draw: Draw) -> ModelProto:
    draw.normal(V=(12, 20), W=(20, 20), b=(20,), U=(20, 3))
    nodes = [
        node("MatMul", "x V", "h"),
        node("Sigmoid", "h", "i"),
        node("Gemm", "i W b", "j"),
        node("Tanh", "j", "k"),
        node("MatMul", "k U", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 12))


def residual(draw: Draw) -> ModelProto:
    """Convolutions with normalisations, which the runtime folds into them."""
    draw.normal(K=(4, 2, 3, 3), k=(4,), L=(4, 4, 3, 3), l=(4,), S=(4, 2, 1, 1))
    draw.normal(W=(64, 3))
    draw.batch("1", 4)
    draw.batch("2", 4)
    nodes = [
        node("Conv", "x K k", "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "c s1 b1 m1 v1", "d"),
        node("Relu", "d", "e"),
        node("Conv", "e L l", "f", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "f s2 b2 m2 v2", "g"),
        node("Conv", "x S", "h", strides=[2, 2]),
        node("Add", "g h", "i"),
        node("Relu", "i", "j"),
        node("Flatten", "j", "n"),
        node("MatMul", "n W", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 2, 8, 8))


def preprocessed(draw: Draw) -> ModelProto:
    draw.normal(mean=(2, 1, 1), K=(4, 1, 2, 2), g=(4, 1, 1), h=(1,))
    draw.constants["std"] = np.float32([[[0.3]], [[0.7]]])
    nodes = [
        node("Sub", "x mean", "a"),
        node("Div", "a std", "b"),
        node("Conv", "b K", "c", group=2),
        node("Mul", "c g", "d"),
        node("Sub", "h d", "e"),
        node("Neg", "e", "f"),
        node("Relu", "f", "i"),
        node("AveragePool", "i", "j", kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
        node("ReduceSum", "j", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 2, 6, 6))


def moving(draw: Draw) -> ModelProto:
    draw.normal(W=(6, 3), C=(1, 4), big=(1, 4))
    draw.constants |= {
        "shape": np.array([2, 6]),
        "half": np.array([4, 4]),
        "rows": np.array([1, 0, 1]),
        "yes": np.array([[True, False, True, False]]),
    }
    nodes = [
        node("Split", "x half", "l r", axis=1),
        node("Where", "yes l big", "m"),
        node("Concat", "m C r", "n", axis=1),
        node("Reshape", "n shape", "o"),
        node("MatMul", "o W", "p"),
        node("Gather", "p rows", "q"),
        node("Transpose", "q", "s"),
        node("Sum", "s s s", "t"),
        node("Add", "t t", "v"),
        node("ReduceMean", "v", "y", axes=[0]),
    ]
    return model_of(nodes, draw.constants, (1, 8))


def decoding(draw: Draw) -> ModelProto:
    draw.normal(K=(2, 3, 2, 3), k=(3,), W=(7, 2))
    draw.constants |= {
        "axis": np.array(2),
        "ends": np.array([2]),
        "kept": np.array([True, False, True, True]),
    }
    nodes = [
        node("ConvTranspose", "x K k", "a", strides=[2, 2], pads=[1, 0, 0, 0]),
        node("Relu", "a", "b"),
        node("CumSum", "b axis", "c"),
        node("ReverseSequence", "c ends", "d", batch_axis=0, time_axis=1),
        node("Compress", "d kept", "e", axis=2),
        node("MatMul", "e W", "y"),
    ]
    return model_of(nodes, draw.constants, (1, 2, 3, 3))


GRAPHS: list[Callable[[Draw], ModelProto]] = [
    fully_connected,
    saturating,
    residual,
    preprocessed,
    moving,
    decoding,
]
