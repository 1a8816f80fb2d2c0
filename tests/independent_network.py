"""The exact differences of small ONNX models, for the second checker of certificates.

All numbers are fractions. A tensor is a shape and its entries by index, and an entry is
a row: by how much it moves with each coordinate. Coordinates are inputs, then neurons.
"""

from fractions import Fraction
from itertools import product, zip_longest
from math import prod
from struct import pack, unpack

import onnx

# Ends that are no fractions, rounded outwards; those of odd gates add up to 1.
GELU, SELU, MISH = (
    [Fraction(float.fromhex(end)) for end in ends.split()]
    for ends in (
        "-0x1.07fee57f1cd40p-3 0x1.20ffdcafe39a8p+0",
        "0x0p+0 0x1.c212cc7ba98c0p+0",
        "-0x1.cce830f9bc267p-4 0x1.16a7d0c455120p+0",
    )
)
SECTORS = {
    "Abs": (-1, 1),
    "Gelu": GELU,
    "HardSwish": (Fraction(-1, 2), Fraction(3, 2)),
    "Mish": MISH,
    "Relu": (0, 1),
    "Selu": SELU,
    "Sigmoid": (0, Fraction(1, 4)),
    "Softplus": (0, 1),
    "Tanh": (0, 1),
}
PLAIN = ["Add", "Sub", "MatMul", "Identity", "Reshape", *SECTORS]
WINDOW = dict.fromkeys(["kernel_shape", "strides", "dilations", "pads"], ())
OPTIONS = {kind: {} for kind in PLAIN} | {
    # What ONNX stores as a float, it stores in float32: defaults as well.
    "Elu": {"alpha": 1.0},
    "LeakyRelu": {"alpha": unpack("f", pack("f", 0.01))[0]},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    "Conv": {"group": 1} | WINDOW,
    "Concat": {"axis": None},
    "Flatten": {"axis": 1},
}


class RefusedError(Exception):
    """What is claimed is not proved."""


def need(condition, reason):
    if not condition:
        raise RefusedError(reason)


def places(shape):
    """Return the indices of a tensor in row-major order."""
    return product(*map(range, shape))


def tensor(shape, entries):
    return tuple(shape), dict(zip(places(shape), entries, strict=True))


def combined(pairs):
    """Return the sum of factors times rows."""
    total = {}
    for factor, row in pairs:
        for j, value in row.items():
            total[j] = total.get(j, 0) + factor * value
    return {j: value for j, value in total.items() if value}


def plus(left, right, factor):
    """Return left + factor right, broadcast."""
    axes = [*zip_longest(left[0][::-1], right[0][::-1], fillvalue=1)][::-1]
    need(all(m == n or 1 in (m, n) for m, n in axes), "shapes that do not fit")

    def entry(place, shape, rows):
        ends = place[len(place) - len(shape) :]
        return rows[tuple(i % n for i, n in zip(ends, shape, strict=True))]

    shape = [max(axis) for axis in axes]
    pairs = ([(1, entry(i, *left)), (factor, entry(i, *right))] for i in places(shape))
    return tensor(shape, map(combined, pairs))


def joined(parts, axis):
    """Return tensors one after the other along an axis."""
    rows, length = {}, 0
    for shape, part in parts:
        for i, row in part.items():
            rows[(*i[:axis], i[axis] + length, *i[axis + 1 :])] = row
        length += shape[axis]
    shape = (*shape[:axis], length, *shape[axis + 1 :])
    need(len(rows) == prod(shape), "parts that do not fit")
    return tensor(shape, (rows[i] for i in places(shape)))


def convolved(shape, rows, kernel, W, options):
    """Return a convolution over any number of axes; what lies outside is zero."""
    (batch, channels, *space), (c_out, depth, *taps) = shape, kernel
    group, ones = options["group"], [1] * len(taps)
    strides, dilations = options["strides"] or ones, options["dilations"] or ones
    pads = options["pads"] or [0, 0] * len(taps)
    need([*(options["kernel_shape"] or taps)] == taps, "the shape of a kernel")
    need(depth * group == channels and c_out % group == 0, "groups of channels")
    halves = pads[: len(taps)], pads[len(taps) :]
    axes = [*zip(space, taps, strides, dilations, *halves, strict=True)]
    sizes = [(n + p + q - (t - 1) * d - 1) // s + 1 for n, t, s, d, p, q in axes]
    need(min(sizes) > 0 <= min(pads), "a window that does not fit")

    def read(b, c, *place):
        for channel, *tap in places((depth, *taps)):
            steps = zip(place, tap, axes, strict=True)
            cell = (i * s + k * d - p for i, k, (_, _, s, d, p, _) in steps)
            source = (b, c // (c_out // group) * depth + channel, *cell)
            yield W[(c, channel, *tap)], rows.get(source, {})

    out = (batch, c_out, *sizes)
    return tensor(out, (combined(read(*place)) for place in places(out)))


class Network:
    """What a model does to differences; biases have none.

    Attributes
    ----------
    layers : list of range
        The coordinates of the input and of every activation that the output depends on.
    sectors, rows : list
        For each coordinate, the ends of its slopes and what it reads; none for inputs.
    tensors : dict
        Of what the output depends on, by name.
    """

    def __init__(self, model):
        graph = model.graph
        need(not (graph.sparse_initializer or model.functions), "unusual parts")
        versions = {entry.domain: entry.version for entry in model.opset_import}
        need(versions[""] >= 7, "another meaning of Add")
        self.stored = {t.name: t for t in graph.initializer}
        (given,) = (info for info in graph.input if info.name not in self.stored)
        need(model.ir_version < 4 or len(graph.input) == 1, "replaceable weights")
        self.input, (self.output,) = given.name, [info.name for info in graph.output]
        names = [name for node in graph.node for name in node.output]
        names += [self.input, *(t.name for t in graph.initializer)]
        need(len({*names}) == len(names), "two tensors of one name")
        batch, *sizes = (d.dim_value for d in given.type.tensor_type.shape.dim)
        need(all(sizes), "a free dimension")
        self.layers, self.sectors, self.rows, self.tensors = [], [], [], {}
        shape, self.moving = (batch or 1, *sizes), {self.input}
        self.tensors[self.input] = self.layer(shape, [{}] * prod(shape), ())
        live = {self.output}
        for node in reversed(graph.node):
            live |= {*node.input} if node.output[0] in live else set()
        for node in graph.node:
            if node.output[0] in live:
                self.tensors[node.output[0]] = self.result(node)
                if self.moves(node):
                    self.moving.add(node.output[0])

    def layer(self, shape, rows, sector):
        """Add coordinates and return them."""
        self.layers.append(range(len(self.rows), len(self.rows) + prod(shape)))
        self.sectors += [sector] * prod(shape)
        self.rows += rows
        return tensor(shape, ({c: Fraction(1)} for c in self.layers[-1]))

    def constant(self, name):
        """Return a stored tensor's numbers."""
        need(not self.stored[name].external_data, "weights in another file")
        array = onnx.numpy_helper.to_array(self.stored[name])
        return tensor(array.shape, (Fraction(float(x)) for x in array.ravel()))

    def get(self, name):
        """Return a tensor; the difference of a constant is zero."""
        if name in self.tensors:
            return self.tensors[name]
        shape, numbers = self.constant(name)
        return tensor(shape, [{}] * len(numbers))

    def moves(self, node):
        """Return whether a tensor counts as moving, although it may cancel to zero.

        The layers of a certificate are the activations of those: a product with nothing
        but zeros counts as a constant.
        """
        product = node.op_type in ("Gemm", "MatMul", "Conv")
        zero = product and not any(self.constant(node.input[1])[1].values())
        read = node.input[2:] if zero else node.input
        return not self.moving.isdisjoint(read)

    def result(self, node):
        """Return the output of a node."""
        kind, names = node.op_type, node.input
        need(node.domain == "" and kind in OPTIONS, f"operator {kind}")
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        need(given.keys() <= OPTIONS[kind].keys(), f"attributes of {kind}")
        need({*names} & {*self.tensors}, "arithmetic on constants")
        options, (shape, rows) = OPTIONS[kind] | given, self.get(names[0])
        match kind:
            case _ if kind in (*SECTORS, "Elu", "LeakyRelu"):
                # An exponential also has all slopes down to zero.
                slopes = [0] * (kind == "Elu") + [1, Fraction(options.get("alpha", 1))]
                ends = SECTORS.get(kind) or (min(slopes), max(slopes))
                # With slope 1 it is the identity, and no layer of the certificate.
                if ends[0] != ends[1] and self.moves(node):
                    return self.layer(shape, rows.values(), ends)
            case "Add" | "Sub":
                sign = 1 if kind == "Add" else -1
                return plus((shape, rows), self.get(names[1]), sign)
            case "Gemm" | "MatMul":
                return self.matrix(names, OPTIONS["Gemm"] | options)
            case "Conv":
                need({*names[1:]}.isdisjoint(self.tensors), "weights that vary")
                return convolved(shape, rows, *self.constant(names[1]), options)
            case "Concat":
                axis = range(len(shape))[options["axis"]]
                return joined([self.get(name) for name in names], axis)
            case "Flatten":
                cut = options["axis"]
                shape = prod(shape[:cut]), prod(shape[cut:])
            case "Reshape":
                sizes = [int(n) for n in self.constant(names[1])[1].values()]
                sizes = [n or shape[k] for k, n in enumerate(sizes)]
                rest = len(rows) // abs(prod(sizes))
                shape = [rest if n == -1 else n for n in sizes]
        return tensor(shape, rows.values())

    def matrix(self, names, options):
        """Return a product with a stored matrix on the right, plus another tensor."""
        ((m, k), X), ((inner, n), W) = self.get(names[0]), self.constant(names[1])
        if options["transA"]:
            m, k, X = k, m, {(j, i): row for (i, j), row in X.items()}
        if options["transB"]:
            inner, n, W = n, inner, {(j, i): weight for (i, j), weight in W.items()}
        need(k == inner, "matrices that do not fit")
        alpha, beta = Fraction(options["alpha"]), Fraction(options["beta"])
        W = {place: alpha * weight for place, weight in W.items()}
        sums = ([(W[p, j], X[i, p]) for p in range(k)] for i, j in places((m, n)))
        result = tensor((m, n), (combined(pairs) for pairs in sums))
        return plus(result, self.get(names[2]), beta) if len(names) > 2 else result
