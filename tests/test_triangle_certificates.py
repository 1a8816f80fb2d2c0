"""Certificates with triangles: two checkers that share no code agree on them."""

import copy
import json

import numpy as np
import onnx
import pytest
from generators import chain
from independent_checker import RefusedError
from independent_checker import check as independent
from oracles import formal_constant
from test_certification import as_onnx

from geolip import certify, checking, norms
from geolip.certificate import Certificate
from geolip.errors import RefusedCertificateError

# Inputs that nothing reads are left out of the problem, not of the certificate.
_UNREAD = [0, 4]
_INPUTS = 9


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Return a model's path and the content of its certificate."""
    random = np.random.default_rng(4)
    weights = [random.standard_normal((6, _INPUTS)), random.standard_normal((2, 6))]
    weights[0][:, _UNREAD] = 0.0
    path = tmp_path_factory.mktemp("triangles") / "model.onnx"
    onnx.save(as_onnx(weights), path)
    plain = certify(path, "inf")
    report = certify(path, "inf", solver="triangles", exact=True)
    assert report.trust == "exact"
    assert formal_constant(chain(weights), norms.parse("inf")) <= report.bound
    assert report.bound < plain.bound * (1 - 1e-3)
    return path, report.certificate.as_dict()


def verdicts(model, content, folder):
    """Return whether the second checker, geolip's exact and its float one accept."""
    path = folder / "certificate.json"
    path.write_text(json.dumps(content))

    def accepts(check, *refusals):
        try:
            check()
        except refusals:
            return False
        return True

    def ours(exact):
        checking.check(model, Certificate.load(path), exact=exact)

    return (
        accepts(lambda: independent(model, path), RefusedError),
        accepts(lambda: ours(True), RefusedCertificateError),
        accepts(lambda: ours(False), RefusedCertificateError),
    )


def test_all_accept_what_is_proved(case, tmp_path):
    model, content = case
    assert verdicts(model, content, tmp_path) == (True, True, True)


def _lighter(triangles):
    weights = map(float.fromhex, triangles["weights"])
    triangles["weights"] = [(0.9 * weight).hex() for weight in weights]


def _heavier(triangles):
    weights = map(float.fromhex, triangles["weights"])
    triangles["weights"] = [(1.1 * weight).hex() for weight in weights]


def _negative(triangles):
    triangles["weights"][0] = (-float.fromhex(triangles["weights"][0])).hex()


def _turned(triangles):
    triangles["signs"][0] = (-float.fromhex(triangles["signs"][0])).hex()


def _longer(triangles):
    triangles["signs"][0] = (2 * float.fromhex(triangles["signs"][0])).hex()


def _moved(triangles):
    left = sorted({*range(_INPUTS)} - {*_UNREAD} - {*triangles["corners"][:3]})
    triangles["corners"][0] = left[0]


def _unread(triangles):
    triangles["corners"][0] = _UNREAD[0]


def _outside(triangles):
    triangles["corners"][0] = _INPUTS


def _twice(triangles):
    triangles["corners"][0] = triangles["corners"][1]


def _short(triangles):
    triangles["corners"].pop()


def _extra(triangles):
    triangles["more"] = []


SPOILS = (
    _lighter,
    _heavier,
    _negative,
    _turned,
    _longer,
    _moved,
    _unread,
    _outside,
    _twice,
    _short,
    _extra,
)


@pytest.mark.parametrize("spoil", SPOILS)
def test_all_refuse_what_is_not(case, spoil, tmp_path):
    model, content = case
    content = copy.deepcopy(content)
    for proof in content["proofs"]:
        if "triangles" in proof:
            spoil(proof["triangles"])
    assert verdicts(model, content, tmp_path) == (False, False, False)


def test_all_refuse_the_bound_without_triangles(case, tmp_path):
    model, content = case
    content = copy.deepcopy(content)
    assert any(proof.pop("triangles", None) for proof in content["proofs"])
    assert verdicts(model, content, tmp_path) == (False, False, False)
