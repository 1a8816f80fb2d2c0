"""Two checkers that share no code agree on certificates, also on spoiled ones."""

import copy
import hashlib
import json

import numpy as np
import onnx
import pytest
from independent_checker import RefusedError, check
from model_maker import Maker
from onnx import TensorProto, numpy_helper
from oracles import PAIRS
from spoilers import SPOILERS, lower_the_bounds, negate_a_tau, scaled

from geolip import certify, checking
from geolip.certificate import Certificate, claim
from geolip.errors import RefusedCertificateError
from geolip.fingerprint import fingerprint
from geolip.importer import load

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
        every = every or given["norm"] == "1"
        content["claim"] = claim(
            content["model"]["sha256"],
            (given["name"], result["name"]),
            max(bounds),
            given["norm"],
            result["norm"],
            None if every else indices,
            content["trust"],
        )

    def mine(self):
        try:
            return check(self.model, self.file)
        except RefusedError:
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


@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("seed", range(4))
def test_both_checkers_agree(tmp_path, seed, norm):
    compare(tmp_path, seed, norm)


@pytest.mark.parametrize("norm", PAIRS)
def test_both_checkers_draw_the_line_at_the_same_number(tmp_path, norm):
    case = Case(tmp_path, 1, norm)
    lines = [least_accepted(case, accepts) for accepts in (case.mine, case.theirs)]
    assert lines[0] <= lines[1] <= lines[0] * (1 + 1e-12)


@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("seed", range(2))
def test_what_cancels_is_a_zero_that_only_fractions_see(tmp_path, seed, norm):
    case = Case(tmp_path, seed, norm, cancels=True)
    assert case.content is not None
    assert case.mine()
    for spoil in SPOILERS:
        mine, theirs = case.verdicts(case.spoiled(spoil))
        assert mine or not theirs, spoil.__name__


@pytest.mark.slow
@pytest.mark.parametrize("norm", PAIRS)
def test_both_checkers_agree_on_many(tmp_path, norm):
    decided = [compare(tmp_path, seed, norm) for seed in range(100, 350)]
    assert np.mean(decided) > 0.9
