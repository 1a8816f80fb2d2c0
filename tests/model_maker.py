"""Random small ONNX models, made node by node."""

import numpy as np
from onnx import helper, numpy_helper

ACTIVATIONS = [
    ("Abs", {}),
    ("Elu", {"alpha": -0.25}),
    ("Elu", {"alpha": 2.0}),
    ("Gelu", {}),
    ("HardSwish", {}),
    ("Mish", {}),
    ("Relu", {}),
    ("Relu", {}),
    ("Selu", {}),
    ("Softplus", {}),
    ("Tanh", {}),
    ("Sigmoid", {}),
    ("LeakyRelu", {}),
    ("LeakyRelu", {"alpha": 0.1}),
    ("LeakyRelu", {"alpha": -0.5}),
    ("LeakyRelu", {"alpha": 1.5}),
    ("LeakyRelu", {"alpha": 1.0}),
]


class Maker:
    """Makes a random small model, node by node; the current tensor is ``self.name``.

    With ``cancels``, some neurons are zero because numbers cancel, not by structure.
    """

    def __init__(self, seed, cancels=False):
        self.steps = ["plain", "plain", "plain", "add", "sub", "concat"]
        self.steps += ["cancel", "cancel"] * cancels
        self.random = np.random.default_rng(seed)
        self.type = self.random.choice([np.float32, np.float64])
        self.nodes, self.tensors, self.name = [], [], "input"

    def node(self, kind, *inputs, **attributes):
        self.name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [self.name], **attributes))

    def stored(self, array):
        name = f"W{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, *shape):
        W = self.random.standard_normal(shape) * 10.0 ** self.random.uniform(-1, 1)
        if self.random.random() < 0.2:
            W[self.random.integers(shape[0])] = 0.0
        if len(shape) > 1 and self.random.random() < 0.2:
            W[:, self.random.integers(shape[1])] = 0.0
        return W.astype(self.type)

    def activate(self):
        kind, attributes = ACTIVATIONS[self.random.integers(len(ACTIVATIONS))]
        self.node(kind, self.name, **attributes)

    def affine(self, m, n):
        """Go from n to m entries by one of the ways to write that."""
        W, b = self.weights(m, n), self.weights(m)
        match self.random.integers(4):
            case 0:
                self.node("Gemm", self.name, self.stored(W), self.stored(b), transB=1)
            case 1:
                names = self.stored(W.T.copy()), self.stored(b)
                self.node("Gemm", self.name, *names, alpha=0.7, beta=-0.3)
            case 2:
                self.node("MatMul", self.name, self.stored(W.T.copy()))
                self.node("Add", self.stored(b), self.name)
            case 3:
                # The current tensor, as a column, is what is transposed.
                shape = self.stored(np.array([n, 1]))
                self.node("Reshape", self.name, shape)
                self.node("Gemm", self.name, self.stored(W), transA=1, transB=1)

    def convolution(self):
        """Return an input shape and make a convolution and an activation of it."""
        axes, groups = (int(k) for k in self.random.integers(1, 3, 2))
        depth, out = (int(k) for k in self.random.integers(1, 3, 2))
        space = self.random.integers(2, 4, axes).tolist()
        taps = self.random.integers(1, 3, axes).tolist()
        W = self.weights(out * groups, depth, *taps)
        names = [self.stored(W), self.stored(self.weights(out * groups))]
        options = {
            "strides": self.random.integers(1, 4, axes).tolist(),
            "dilations": [1] * axes if max(taps) > 1 and min(space) < 3 else [2] * axes,
            "pads": self.random.integers(0, 2, 2 * axes).tolist(),
        }
        self.node("Conv", self.name, *names, group=groups, **options)
        spans = zip(
            space, taps, *options.values(), options["pads"][axes:], strict=False
        )
        size = out * groups
        for n, t, s, d, p, q in spans:
            size *= (n + p + q - (t - 1) * d - 1) // s + 1
        self.activate()
        if self.random.random() < 0.5:
            self.node("Flatten", self.name)
        else:
            self.node("Reshape", self.name, self.stored(np.array([0, -1])))
        return (1, depth * groups, *space), size

    def step(self, n):
        """Add a layer to n entries and return how many there are then."""
        before = self.name
        match self.random.choice(self.steps):
            case "plain":
                m = int(self.random.integers(1, 5))
                self.affine(m, n)
                self.activate()
                return m
            case "add" | "sub" as kind:
                self.affine(n, n)
                self.activate()
                self.node(kind.capitalize(), before, self.name)
            case "concat":
                m = int(self.random.integers(1, 3))
                self.affine(m, n)
                self.activate()
                self.node("Concat", before, self.name, axis=1)
                return n + m
            case "cancel":
                self.node("Sub", before, before)
                self.activate()
                self.node("Add", before, self.name)
        return n

    def model(self):
        n = int(self.random.integers(1, 5))
        shape = ("batch", n)
        if self.random.random() < 0.3:
            shape, n = self.convolution()
        for _ in range(self.random.integers(1, 4) if n < 9 else 1):
            n = self.step(n)
        outputs = int(self.random.integers(1, 4))
        self.affine(outputs, n)
        real = helper.np_dtype_to_tensor_dtype(np.dtype(self.type))
        ends = [
            helper.make_tensor_value_info(name, real, size)
            for name, size in (("input", shape), (self.name, (None, None)))
        ]
        graph = helper.make_graph(self.nodes, "t", ends[:1], ends[1:], self.tensors)
        opset = helper.make_opsetid("", 20)
        return helper.make_model(graph, opset_imports=[opset], ir_version=9)
