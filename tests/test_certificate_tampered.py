"""Certificates that were tampered with: refused, unless what they claim is true."""

from dataclasses import replace

import numpy as np
import pytest
from certificates import NORMS, certified, small, with_bounds
from generators import random_weights
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import formal_constant

from geolip import importer, norms
from geolip.certificate import Certificate
from geolip.checking import check
from geolip.errors import RefusedCertificateError
from geolip.multipliers import Multipliers
from geolip.proof import CONSTANT, MULTIPLIERS, NORM_PRODUCT, Proof


def tampered(random: np.random.Generator, certificate: Certificate) -> Certificate:
    """Return a certificate with one thing changed."""
    proofs = list(certificate.proofs)
    number = int(random.integers(len(proofs)))
    proof = proofs[number]
    kind = int(random.integers(10))
    if kind <= 3 and proof.multipliers is not None:
        parts = [part.copy() for part in proof.multipliers]
        filled = [k for k, part in enumerate(parts) if part.size]
        part = parts[filled[random.integers(len(filled))]]
        place = random.integers(part.size)
        bits = part.view(np.int64)
        bits[place] ^= np.int64(1) << np.int64(random.integers(63))
        multipliers = Multipliers(parts[0], tuple(parts[1:]))
        proofs[number] = replace(proof, multipliers=multipliers)
    elif kind == 4:
        factor = 1 - 10.0 ** random.uniform(-14, 0)
        return with_bounds(certificate, factor)
    elif kind == 5:
        proofs[number] = replace(proof, index=int(random.integers(4)))
    elif kind == 6:
        norm = random.choice(["inf", "2", "1", "nan"])
        which = random.choice(["input_norm", "output_norm"])
        return replace(certificate, **{which: norm})
    elif kind == 7:
        ends = [(lower * 0.5, upper * 0.5) for lower, upper in certificate.slopes]
        return replace(certificate, slopes=ends)
    elif kind == 8:
        proofs = proofs[:-1] or proofs * 2
    else:
        method = str(random.choice([NORM_PRODUCT, CONSTANT, MULTIPLIERS, "trust me"]))
        proofs[number] = replace(proof, method=method)
    return replace(certificate, proofs=proofs)


def tamper(count: int, start: int = 0) -> tuple[int, int]:
    """Tamper with certificates; return how many were refused and accepted."""
    refused = accepted = 0
    for seed in range(start, start + count):
        random = np.random.default_rng([seed, 7])
        weights = small(seed // 10)
        norm = NORMS[seed // 10 % 4]
        certificate = certified(weights, norm)
        changed = tampered(random, certificate)
        with np.errstate(all="ignore"):
            try:
                verdict = check(weights, changed)
            except RefusedCertificateError:
                refused += 1
                continue
        accepted += 1
        # What is accepted is true, as its claim says: of the norms and outputs named.
        pair = norms.parse((changed.input_norm, changed.output_norm))
        sectors = importer.load(weights).sectors()
        if changed.outputs is not None:
            places = np.arange(sectors.output.size)
            sectors = sectors.rows(np.isin(places, changed.outputs))
        exact = formal_constant(sectors, pair)
        assert verdict.bound >= exact * (1 - 1e-12), seed
    return refused, accepted


def test_what_is_tampered_with_is_refused_or_true():
    refused, accepted = tamper(300)
    assert refused > 100
    assert accepted > 20


@pytest.mark.slow
def test_many_are_tampered_with():
    refused, accepted = tamper(20_000)
    assert refused > 6_000
    assert accepted > 1_000


@given(st.integers(0, 10**6), st.integers(0, 62))
@settings(max_examples=100, deadline=None)
def test_another_model_is_refused(seed, bit):
    weights = small(seed % 20)
    certificate = CERTIFICATES.setdefault(seed % 20, certified(weights, "inf"))
    random = np.random.default_rng(seed)
    W = weights[random.integers(len(weights))]
    place = tuple(random.integers(n) for n in W.shape)
    W.view(np.int64)[place] ^= np.int64(1) << np.int64(bit)
    if not np.isfinite(W).all() or not 1e-60 < abs(W[place]) < 1e60:
        return
    with pytest.raises(RefusedCertificateError, match="another model"):
        check(weights, certificate)


CERTIFICATES: dict[int, Certificate] = {}


@pytest.mark.parametrize("bound", [np.nan, -1.0, 0.0, -0.0])
def test_bounds_that_are_no_bounds_are_refused(bound):
    weights = small(4)
    certificate = certified(weights, "2")
    proof = replace(certificate.proofs[0], bound=bound)
    with pytest.raises(RefusedCertificateError):
        check(weights, replace(certificate, proofs=[proof]))


@pytest.mark.parametrize("index", [-1, -2, 2, 10**9])
def test_outputs_that_do_not_exist_prove_nothing(index):
    weights = random_weights(np.random.default_rng(0), 2, 8, outputs=2)
    certificate = certified(weights, "inf")
    proofs = [Proof(index, 0.0, CONSTANT), Proof(index - 1, 0.0, CONSTANT)]
    with pytest.raises(RefusedCertificateError, match="does not exist"):
        check(weights, replace(certificate, proofs=proofs))
    found = replace(certificate, proofs=proofs).as_dict()
    if index < 0:
        with pytest.raises(RefusedCertificateError, match="negative"):
            Certificate.from_dict(found)


def test_an_output_is_not_proved_twice_for_another():
    weights = random_weights(np.random.default_rng(0), 2, 8, outputs=2)
    certificate = certified(weights, "inf")
    first, _ = certificate.proofs
    with pytest.raises(RefusedCertificateError, match="twice"):
        check(weights, replace(certificate, proofs=[first, first]))


@pytest.mark.parametrize(
    "changed",
    [
        {"input_name": "elsewhere"},
        {"output_name": "elsewhere"},
        {"input_shape": (1, 2, 3)},
        {"output_shape": (1, 9)},
    ],
)
def test_other_tensors_are_refused(changed):
    weights = random_weights(np.random.default_rng(0), 2, 8, outputs=1)
    certificate = replace(certified(weights, "2"), **changed)
    with pytest.raises(RefusedCertificateError, match="names tensors"):
        check(weights, certificate)


@pytest.mark.parametrize("exact", [True, False])
def test_multipliers_that_are_too_small_prove_nothing(exact):
    weights = random_weights(np.random.default_rng(0), 2, 8, outputs=1)
    certificate = certified(weights, "2")
    (proof,) = certificate.proofs
    for factor in (0.5, 0.01):
        smaller = replace(proof, multipliers=proof.multipliers.scaled_tau(factor))
        with pytest.raises(RefusedCertificateError, match="not shown"):
            check(weights, replace(certificate, proofs=[smaller]), exact=exact)


@pytest.mark.parametrize("exact", [True, False])
def test_multipliers_of_a_constant_output_are_zero(exact):
    weights = [np.ones((2, 3)), np.zeros((1, 2))]
    certificate = certified(weights, "2")
    for value, accepted in ((0.0, True), (1.0, False)):
        multipliers = Multipliers(np.full(3, value), (np.full(2, value),))
        proof = Proof(None, 0.0, MULTIPLIERS, multipliers)
        changed = replace(certificate, proofs=[proof])
        if accepted:
            assert check(weights, changed, exact=exact).bound == 0.0
        else:
            with pytest.raises(RefusedCertificateError, match="dead"):
                check(weights, changed, exact=exact)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_the_line_is_drawn_at_the_bound(size, exact):
    """However large it is, by both arithmetics."""
    weights = random_weights(np.random.default_rng(1), 2, 8, outputs=1)
    weights = [size * W for W in weights]
    certificate = certified(weights, "2")
    assert check(weights, certificate, exact=exact).bound == certificate.bound
    with pytest.raises(RefusedCertificateError, match="smaller than what is proved"):
        check(weights, with_bounds(certificate, 1 - 1e-9), exact=exact)


@pytest.mark.parametrize("written", ["l1", "L_1", " 1"])
def test_a_certificate_names_norms_in_one_way(written):
    # Proofs are about inputs; a claim about outputs would be made of their numbers.
    weights = [np.ones((1, 3)), np.ones((2, 1))]
    certificate = certified(weights, "1:2")
    with pytest.raises(RefusedCertificateError, match="norms"):
        check(weights, replace(certificate, input_norm=written))
