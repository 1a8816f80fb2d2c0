"""Activations as exporters write them in several nodes, and some that only look so."""

from itertools import permutations
from typing import Any

import numpy as np
from importer_models import build, node
from onnx import ModelProto, TensorProto

ABOVE, BELOW = ("Greater", "GreaterOrEqual"), ("Less", "LessOrEqual")
SQRT2, SQRT_2_PI = 2.0**0.5, (2.0 / np.pi) ** 0.5


class Graph:
    """Nodes made one by one; tensors are given by name, constants by value.

    With ``nodes_only``, constants are nodes rather than stored tensors.
    """

    def __init__(self, nodes_only: bool = False) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.nodes_only = nodes_only

    def __call__(self, kind: str, *inputs: str | float, **attributes: Any) -> str:
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.nodes.append(node(kind, names, [f"t{len(self.nodes)}"], **attributes))
        return str(self.nodes[-1].output[0])

    def constant(self, value: float) -> str:
        if self.nodes_only:
            return self("Constant", value_float=value)
        name = f"c{len(self.constants)}"
        self.constants[name] = np.array(value, np.float32)
        return name

    def model(self, opset: int = 17) -> ModelProto:
        return build(self.nodes, [1, 5], self.constants, opset)


def gelu(g, x, order=(0, 1, 2), halving=("Mul", 0.5), inner=("Div", SQRT2)):
    """Multiply x, one half and 1 + erf in some order."""
    gate = g("Add", g("Erf", g(inner[0], x, inner[1])), 1.0)
    parts = [x, None, gate]
    left, right, last = (parts[k] for k in order)
    kind, half = halving
    if left is None:
        left, right = right, left
    first = g(kind, left, half) if right is None else g("Mul", left, right)
    return g(kind, first, half) if last is None else g("Mul", last, first)


def gelu_tanh(g, x, cube="Pow", inside=False, linear=SQRT_2_PI, cubic=0.044715):
    third = g("Pow", x, 3.0) if cube == "Pow" else g("Mul", x, g("Mul", x, x))
    if inside:  # x (1 + 0.044715 x^2)
        inner = g("Mul", x, g("Add", 1.0, g("Mul", cubic, g("Pow", x, 2.0))))
    else:
        inner = g("Add", x, g("Mul", cubic, third))
    gate = g("Add", 1.0, g("Tanh", g("Mul", inner, linear)))
    return g("Mul", g("Mul", 0.5, x), gate)


def softplus(g, x):
    return g("Log", g("Add", 1.0, g("Exp", x)))


def sigmoid(g, x):
    return g("Div", 1.0, g("Add", g("Exp", g("Neg", x)), 1.0))


def mish(g, x, inner="Softplus"):
    return g("Mul", x, g("Tanh", softplus(g, x) if inner == "Log" else g(inner, x)))


def relu6(g, x):
    return g("Clip", g("Add", x, 3.0), 0.0, 6.0)


def leaky(g, x, low=0.25, kind="Greater", against=0.0):
    return g("Where", g(kind, x, against), x, g("Mul", x, low))


def other_leaky(g, x, low=0.25, kind="Less"):
    return g("Where", g(kind, x, 0.0), g("Mul", low, x), x)


def masked(g, x, kind="Greater"):
    return g("Mul", x, g("Cast", g(kind, x, 0.0), to=TensorProto.FLOAT))


def soft_shrink(g, x, end=0.5, inside=0.0):
    moved = g("Sub", x, g("Mul", g("Sign", x), end))
    return g("Where", g("Greater", g("Abs", x), end), moved, inside)


# By the activation that each is: functions of a graph and a tensor.
COMPOSITES = {
    "Gelu": [
        *(
            lambda g, x, order=order, halving=halving, inner=inner: gelu(
                g, x, order, halving, inner
            )
            for order in permutations(range(3))
            for halving in (("Mul", 0.5), ("Div", 2.0))
            for inner in (("Div", SQRT2), ("Mul", 1 / SQRT2), ("Mul", -0.3))
        ),
        lambda g, x: gelu(g, g("Mul", x, 2.0)),
        lambda g, x: gelu(g, x, inner=("Div", g("Sqrt", 2.0))),
        lambda g, x: gelu(g, x, inner=("Mul", g("Sqrt", 0.5))),
        lambda g, x: gelu_tanh(g, x, linear=g("Sqrt", 2 / np.pi)),
        gelu_tanh,
        lambda g, x: gelu_tanh(g, x, cube="Mul"),
        lambda g, x: gelu_tanh(g, x, inside=True),
        lambda g, x: gelu_tanh(g, x, linear=0.7978846, cubic=0.0447150),
        lambda g, x: gelu_tanh(g, x, linear=2 * SQRT_2_PI, cubic=4 * 0.044715),
    ],
    "Swish": [
        lambda g, x: g("Mul", x, g("Sigmoid", x)),
        lambda g, x: g("Mul", g("Sigmoid", g("Mul", 1.702, x)), x),
        lambda g, x: g("Mul", x, g("Sigmoid", g("Neg", x))),
        lambda g, x: g("Mul", x, sigmoid(g, x)),
        lambda g, x: g("Div", x, g("Add", 1.0, g("Exp", g("Neg", x)))),
        lambda g, x: g("Mul", g("Identity", x), g("Identity", g("Sigmoid", x))),
    ],
    "Hinge": [
        *(lambda g, x, kind=kind: leaky(g, x, kind=kind) for kind in ABOVE),
        *(lambda g, x, kind=kind: other_leaky(g, x, kind=kind) for kind in BELOW),
        *(lambda g, x, kind=kind: masked(g, x, kind=kind) for kind in ABOVE + BELOW),
        lambda g, x: leaky(g, x, low=-1.0),
        lambda g, x: leaky(g, x, low=0.0),
        lambda g, x: leaky(g, g("Mul", x, -3.0)),
        lambda g, x: other_leaky(g, g("Sub", x, 1.5)),
        lambda g, x: g("Where", g("Not", g("Greater", x, 0.0)), 0.0, x),
        lambda g, x: g("Where", g("Less", 0.0, g("Mul", 2.0, x)), x, 0.0),
        lambda g, x: g("Where", g("Less", 1.5, x), g("Sub", x, 1.5), 0.0),
        lambda g, x: g("Mul", g("Sign", x), x),
    ],
    "Shrink": [
        soft_shrink,
        lambda g, x: soft_shrink(g, x, inside=g("Mul", 0.0, x)),
    ],
    "Mish": [mish, lambda g, x: mish(g, x, "Log")],
    "HardSwish": [
        lambda g, x: g("Mul", x, g("HardSigmoid", x, alpha=1 / 6)),
        lambda g, x: g("Mul", x, g("HardSigmoid", x, alpha=-0.3, beta=0.7)),
        lambda g, x: g("Div", g("Mul", x, relu6(g, x)), 6.0),
        lambda g, x: g("Mul", x, g("Div", relu6(g, x), 6.0)),
        lambda g, x: g("Mul", g("Mul", relu6(g, x), 1 / 6), x),
        lambda g, x: g("Mul", x, g("Min", g("Max", x, 0.0), 2.0)),
        lambda g, x: g("Mul", x, g("Clip", g("Relu", g("Add", x, 3.0)), 0.0, 6.0)),
        lambda g, x: g("Mul", g("Max", 0.0, g("Min", 6.0, g("Add", 3.0, x))), x),
    ],
    "Softplus": [
        softplus,
        lambda g, x: softplus(g, g("Neg", x)),
        lambda g, x: g("Log", sigmoid(g, x)),
    ],
    "LogSigmoid": [lambda g, x: g("Log", g("Sigmoid", x))],
    "Softsign": [
        lambda g, x: g("Div", x, g("Add", g("Abs", x), 1.0)),
        lambda g, x: g("Mul", g("Reciprocal", g("Add", 1.0, g("Abs", x))), x),
    ],
    "Sigmoid": [
        sigmoid,
        lambda g, x: g("Reciprocal", g("Add", g("Exp", g("Neg", x)), 1.0)),
    ],
}

# What these are not, for one reason each.
IMPOSTORS = {
    "another constant beside erf": lambda g, x: g("Mul", x, g("Add", g("Erf", x), 1.5)),
    "another tensor in erf": lambda g, x: g(
        "Mul", x, g("Add", g("Erf", g("Relu", x)), 1.0)
    ),
    "erf of a shifted tensor": lambda g, x: g(
        "Mul", x, g("Add", g("Erf", g("Add", x, 0.5)), 1.0)
    ),
    "minus erf on one side only": lambda g, x: g(
        "Mul", g("Add", x, 1.0), g("Add", g("Erf", x), 1.0)
    ),
    "another tanh constant": lambda g, x: gelu_tanh(g, x, cubic=0.0448),
    "tanh without its cube": lambda g, x: g("Mul", x, g("Add", g("Tanh", x), 1.0)),
    "tanh as a gate": lambda g, x: g("Mul", x, g("Tanh", x)),
    "two gates": lambda g, x: g("Mul", x, g("Mul", g("Sigmoid", x), g("Sigmoid", x))),
    "a square": lambda g, x: g("Mul", g("Mul", x, x), g("Sigmoid", x)),
    "a gate of nothing": lambda g, x: g("Mul", g("Sigmoid", x), g("Sigmoid", x)),
    "another gate": lambda g, x: g("Mul", x, g("Sigmoid", g("Relu", x))),
    "a gate without end": lambda g, x: g("Mul", x, g("Relu", g("Add", x, 3.0))),
    "a gate from below 0": lambda g, x: g(
        "Mul", x, g("Clip", g("Clip", x, -1.0, 2.0), -2.0, 1.0)
    ),
    "a gate from 1 to 6": lambda g, x: g("Mul", x, g("Clip", x, 1.0, 6.0)),
    "mish of another slope": lambda g, x: g(
        "Mul", x, g("Tanh", g("Softplus", g("Mul", 2.0, x)))
    ),
    "log of 2 + exp": lambda g, x: g("Log", g("Add", 2.0, g("Exp", x))),
    "softsign of 2 + |x|": lambda g, x: g("Div", x, g("Add", g("Abs", x), 2.0)),
    "softsign of |x|": lambda g, x: g("Div", x, g("Abs", x)),
    "softsign of another tensor": lambda g, x: g(
        "Div", g("Relu", x), g("Add", g("Abs", x), 1.0)
    ),
    "log of exp": lambda g, x: g("Log", g("Exp", x)),
    "reciprocal of 2 + exp": lambda g, x: g("Div", 1.0, g("Add", 2.0, g("Exp", x))),
    "lines that do not meet": lambda g, x: leaky(g, x, against=0.5),
    "lines that meet elsewhere": lambda g, x: g(
        "Where", g("Greater", x, -1.0), g("Sub", x, 1.0), 0.0
    ),
    "a step": lambda g, x: g("Where", g("Greater", x, 0.0), 1.0, 0.0),
    "a mask of another tensor": lambda g, x: g(
        "Where", g("Greater", g("Relu", x), 0.0), g("Mul", 2.0, x), x
    ),
    "a truncated factor": lambda g, x: g(
        "Mul", x, g("Cast", g("Cast", x, to=TensorProto.INT32), to=TensorProto.FLOAT)
    ),
    "a rounded gate": lambda g, x: g(
        "Mul",
        x,
        g(
            "Sigmoid",
            g("Cast", g("Cast", x, to=TensorProto.FLOAT16), to=TensorProto.FLOAT),
        ),
    ),
    "hard shrink": lambda g, x: g("Where", g("Greater", g("Abs", x), 0.5), x, 0.0),
    "soft shrink by another length": lambda g, x: g(
        "Where",
        g("Greater", g("Abs", x), 0.5),
        g("Sub", x, g("Mul", g("Sign", x), 0.25)),
        0.0,
    ),
    "PyTorch's Softplus": lambda g, x: g(
        "Where", g("Greater", x, 20.0), x, g("Softplus", x)
    ),
    "a root as a factor": lambda g, x: g(
        "Mul", g("Mul", x, g("Sqrt", 2.0)), g("Add", g("Erf", x), 1.0)
    ),
    "exp": lambda g, x: g("Exp", x),
    "cube": lambda g, x: g("Pow", x, 3.0),
}
