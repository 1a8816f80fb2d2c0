"""Small convolutional networks with max pooling, which bounds can take in two ways.

Source: a test as in Pintore and Despres (arXiv 2410.21053), who trained theirs on
MNIST; these are drawn as training starts.
"""

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from families import Member

TITLE = "max pooling"
ABOUT = (
    "8 x 8 pixels, a 3 x 3 convolution to 2 channels, ReLU, max pooling with separate "
    "or overlapping windows, 10 outputs, as PyTorch initialises them. K3 and K4 take "
    "the better of two ways to write the maxima."
)
NORMS = ("inf", "2")
GROWS = ""
METHODS = ()

_SIDE, _CHANNELS, _OUTPUTS = 8, 2, 10


def members(full: bool) -> list[Member]:
    """Return a network for each kind of windows."""
    windows = ((2, 2), (3, 2), (3, 1)) if full else ((2, 2), (3, 2))
    random = np.random.default_rng(6)
    return [
        Member(f"{size} x {size} windows, stride {stride}", model(random, size, stride))
        for size, stride in windows
    ]


def model(random: np.random.Generator, window: int, stride: int) -> ModelProto:
    """Return the network with square windows."""
    places = _CHANNELS * ((_SIDE - window) // stride + 1) ** 2
    kernel = random.uniform(-1, 1, (_CHANNELS, 1, 3, 3)) / 3
    dense = random.uniform(-1, 1, (_OUTPUTS, places)) / np.sqrt(places)
    nodes = [
        helper.make_node("Conv", ["input", "kernel"], ["z"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["z"], ["y"]),
        helper.make_node(
            "MaxPool", ["y"], ["p"], kernel_shape=[window] * 2, strides=[stride] * 2
        ),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "dense"], ["output"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "pooling",
        [
            helper.make_tensor_value_info(
                "input", TensorProto.DOUBLE, ["batch", 1, _SIDE, _SIDE]
            )
        ],
        [
            helper.make_tensor_value_info(
                "output", TensorProto.DOUBLE, ["batch", _OUTPUTS]
            )
        ],
        [
            numpy_helper.from_array(kernel, "kernel"),
            numpy_helper.from_array(dense, "dense"),
        ],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)
