"""Two checkers that share no code agree on certificates, also on spoiled ones."""

import copy
import hashlib
import json

import numpy as np
import onnx
import pytest
from independent_checker import Refused, check
from onnx import TensorProto, helper, numpy_helper

from geolip import certify, checking
from geolip.certificate import Certificate, claim
from geolip.errors import RefusedCertificateError
from geolip.fingerprint import fingerprint
from geolip.importer import load

NORMS = ["inf", "2", "2:inf", "inf:2"]
ACTIVATIONS = [
    ("Relu", {}),
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
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)


# Ways to spoil a certificate as plain data ------------------------------------------


def scaled(text, factor):
    return (factor * float.fromhex(text)).hex()


def lower_the_bounds(content, random):
    for proof in content["proofs"]:
        proof["bound"] = scaled(proof["bound"], 1 - 1e-3)


def halve_a_tau(content, random):
    for proof in content["proofs"]:
        if "tau" in proof:
            j = random.integers(len(proof["tau"]))
            proof["tau"][j] = scaled(proof["tau"][j], 0.5)


def halve_all_tau(content, random):
    for proof in content["proofs"]:
        proof["tau"] = [scaled(t, 0.5) for t in proof.get("tau", [])]


def negate_a_tau(content, random):
    for proof in content["proofs"]:
        if "tau" in proof:
            j = int(np.argmax([float.fromhex(t) for t in proof["tau"]]))
            proof["tau"][j] = scaled(proof["tau"][j], -1.0)


def change_a_multiplier(content, random):
    for proof in content["proofs"]:
        if proof.get("d"):
            layer = proof["d"][random.integers(len(proof["d"]))]
            j = random.integers(len(layer))
            layer[j] = scaled(layer[j], random.choice([0.0, 0.9, 0.9999, 1.0001, 2.0]))


def raise_bounds_change_all(content, random):
    for proof in content["proofs"]:
        proof["bound"] = scaled(proof["bound"], 1.1)
        for layer in [proof.get("tau", []), *proof.get("d", [])]:
            layer[:] = [scaled(x, random.uniform(0.96, 1.04)) for x in layer]


def swap_the_norms(content, random):
    ends = content["input"], content["output"]
    ends[0]["norm"], ends[1]["norm"] = ends[1]["norm"], ends[0]["norm"]


def measure_the_input_otherwise(content, random):
    norm = content["input"]["norm"]
    content["input"]["norm"] = "2" if norm == "inf" else "inf"


def call_it_a_norm_product(content, random):
    for proof in content["proofs"]:
        proof["method"] = "norm product"
        proof.pop("tau", None), proof.pop("d", None)


def raise_the_norm_product(content, random):
    call_it_a_norm_product(content, random)
    for proof in content["proofs"]:
        proof["bound"] = scaled(proof["bound"], 10.0 ** random.uniform(0, 2))


def call_it_constant(content, random):
    call_it_a_norm_product(content, random)
    for proof in content["proofs"]:
        proof["method"] = "constant"


def leave_a_row_out(content, random):
    content["proofs"] = content["proofs"][1:] or content["proofs"]


def prove_a_row_twice(content, random):
    content["proofs"][-1]["index"] = content["proofs"][0]["index"]


def narrow_the_slopes(content, random):
    for pair in content["slopes"]:
        pair[0] = (0.5).hex()


SPOILERS = [
    lower_the_bounds,
    halve_a_tau,
    halve_all_tau,
    negate_a_tau,
    change_a_multiplier,
    raise_bounds_change_all,
    swap_the_norms,
    measure_the_input_otherwise,
    call_it_a_norm_product,
    raise_the_norm_product,
    call_it_constant,
    leave_a_row_out,
    prove_a_row_twice,
    narrow_the_slopes,
]


# What geolip says where its arithmetic cannot decide; this checker's always can.
UNDECIDED = ["numbers too large for exact arithmetic", "multipliers outside 2^-300"]


class Case:
    """A model, its certificate, and both verdicts on whatever becomes of them."""

    def __init__(self, folder, seed, norm, cancels=False):
        self.random = np.random.default_rng(seed)
        self.model, self.file = folder / "model.onnx", folder / "certificate.json"
        onnx.save(Maker(seed, cancels).model(), self.model)
        exact = bool(seed % 2)
        report = certify(self.model, norm=norm, accuracy=1e-3, exact=exact)
        # Where constants are computed in the graph, geolip may only estimate.
        self.content = None
        if report.trust != "estimate":
            report.certificate.save(self.file)
            self.content = json.loads(self.file.read_text())

    def verdicts(self, content=None):
        """Return what this checker and geolip's say, once the claim is worded anew."""
        if content is not None:
            self.reword(content)
            self.file.write_text(json.dumps(content))
        return self.mine(), self.theirs()

    def reword(self, content):
        bounds = [float.fromhex(proof["bound"]) for proof in content["proofs"]]
        content["bound"] = max(bounds).hex()
        given, result = content["input"], content["output"]
        indices = [proof["index"] for proof in content["proofs"]]
        every = None in indices or len(indices) == np.prod(result["shape"])
        content["claim"] = claim(
            content["model"]["sha256"],
            max(bounds),
            given["norm"],
            result["norm"],
            None if every else indices,
            content["trust"],
        )

    def mine(self):
        try:
            return check(self.model, self.file)
        except Refused:
            return False

    def theirs(self):
        try:
            checking.check(self.model, Certificate.load(self.file))
        except RefusedCertificateError as error:
            return None if any(reason in str(error) for reason in UNDECIDED) else False
        return True

    def spoiled(self, spoil):
        content = copy.deepcopy(self.content)
        spoil(content, self.random)
        return content

    def flip_a_weight(self):
        """Negate a weight in the model's file."""
        model = onnx.load(self.model)
        tensors = [
            t for t in model.graph.initializer if t.data_type != TensorProto.INT64
        ]
        tensor = tensors[self.random.integers(len(tensors))]
        array = numpy_helper.to_array(tensor).copy()
        array.flat[self.random.integers(array.size)] *= -1
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        onnx.save(model, self.model)

    def stamped(self):
        """Return the certificate as if it had been made for what the file now holds."""
        content = copy.deepcopy(self.content)
        content["model"] = {
            "sha256": hashlib.sha256(self.model.read_bytes()).hexdigest(),
            "semantic_sha256": fingerprint(load(self.model).sectors()),
        }
        return content


def compare(folder, seed, norm):
    """Compare the verdicts on a certificate and on what it is spoiled to.

    Return whether there was a certificate that geolip's checker could decide.
    """
    case = Case(folder, seed, norm)
    if case.content is None:
        return False
    mine, theirs = case.verdicts()
    assert mine
    assert theirs in (True, None)
    if theirs is None:
        return False
    trivial = float.fromhex(case.content["bound"]) == 0
    for spoil in SPOILERS:
        content = case.spoiled(spoil)
        mine, theirs = case.verdicts(content)
        assert theirs in (mine, None), (seed, norm, spoil.__name__, mine)
        if spoil in (lower_the_bounds, negate_a_tau) and content != case.content:
            assert not mine or trivial
    before = case.model.read_bytes()
    case.flip_a_weight()
    stamped = case.stamped()
    if case.model.read_bytes() != before:
        # A bias is in the file, but in no bound: geolip goes by what the file means.
        same = stamped["model"]["semantic_sha256"]
        same = same == case.content["model"]["semantic_sha256"]
        assert case.verdicts(copy.deepcopy(case.content)) == (False, same)
    mine, theirs = case.verdicts(stamped)
    assert theirs in (mine, None), (seed, norm, "flipped", mine)
    return True


def least_accepted(case, accepts):
    """Return the least bound, by bisection, that a checker accepts of one proof."""
    low, high = 0.5, 1.0
    while (middle := (low + high) / 2) not in (low, high):
        content = copy.deepcopy(case.content)
        for proof in content["proofs"]:
            proof["bound"] = scaled(proof["bound"], middle)
        case.reword(content)
        case.file.write_text(json.dumps(content))
        low, high = (low, middle) if accepts() else (middle, high)
    return high


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(10))
def test_both_checkers_agree(tmp_path, seed, norm):
    compare(tmp_path, seed, norm)


@pytest.mark.parametrize("norm", NORMS)
def test_both_checkers_draw_the_line_at_the_same_number(tmp_path, norm):
    case = Case(tmp_path, 1, norm)
    lines = [least_accepted(case, accepts) for accepts in (case.mine, case.theirs)]
    assert lines[0] <= lines[1] <= lines[0] * (1 + 1e-12)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(5))
def test_what_cancels_is_a_zero_that_only_fractions_see(tmp_path, seed, norm):
    case = Case(tmp_path, seed, norm, cancels=True)
    if case.content is None:
        pytest.skip("geolip only estimates")
    assert case.mine()
    for spoil in SPOILERS:
        mine, theirs = case.verdicts(case.spoiled(spoil))
        assert mine or not theirs, spoil.__name__


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS)
def test_both_checkers_agree_on_many(tmp_path, norm):
    decided = [compare(tmp_path, seed, norm) for seed in range(100, 350)]
    assert np.mean(decided) > 0.9
