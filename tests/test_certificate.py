"""Certificates: what is written is accepted, and nothing else unless it is true."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from generators import random_weights
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import formal_constant

import geolip
from geolip import importer, norms, strict_json
from geolip.certificate import CONSTANT, MULTIPLIERS, NORM_PRODUCT, Certificate, Proof
from geolip.checking import check
from geolip.errors import RefusedCertificateError, UsageError
from geolip.multipliers import Multipliers

MODELS = sorted((Path(__file__).parents[1] / "models").glob("*.onnx"))
NORMS = ("inf", "2", "2:inf", "inf:2")


def small(seed: int) -> list[np.ndarray]:
    """Return float32 weights of a network of few neurons, some of them dead."""
    random = np.random.default_rng(seed)
    depth, outputs = int(random.integers(1, 4)), int(random.integers(1, 4))
    weights = random_weights(random, depth, 8, outputs)
    if random.random() < 0.3:
        weights[0][0] = 0.0
    if random.random() < 0.2:
        weights[-1][0] = 0.0
    return [W.astype(np.float32).astype(float) for W in weights]


def certified(weights: object, norm: str) -> Certificate:
    certificate = geolip.certify(weights, norm, accuracy=1e-3).certificate
    assert certificate is not None
    return certificate


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_shipped_models_have_certificates(model, norm, tmp_path):
    report = geolip.certify(model, norm, accuracy=1e-2, exact=True)
    assert report.trust == "exact"
    assert report.certificate is not None
    assert report.certificate.bound == report.bound
    report.certificate.save(tmp_path / "c.json")
    loaded = Certificate.load(tmp_path / "c.json")
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "c.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    for exact in (True, False):
        verdict = check(model, loaded, exact=exact)
        assert verdict.bound == report.bound
        assert verdict.trust == ("exact" if exact else "rigorous-float")
        assert not verdict.notes
    # The bound itself is not far from what is proved: a smaller one is refused.
    weaker = with_bounds(loaded, 1 - 1e-9)
    with pytest.raises(RefusedCertificateError, match="smaller than what is proved"):
        check(model, weaker)


def with_bounds(certificate: Certificate, factor: float) -> Certificate:
    proofs = [replace(p, bound=p.bound * factor) for p in certificate.proofs]
    return replace(certificate, proofs=proofs)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("batch", range(10))
def test_float_bounds_are_confirmed_exactly(norm, batch):
    """And are never below the FGL, nor above what is proved by more than 1e-11."""
    for seed in range(6 * batch, 6 * batch + 6):
        weights = small(seed)
        certificate = certified(weights, norm)
        verdict = check(weights, certificate)
        network = importer.load(weights)
        assert verdict.bound >= formal_constant(network.sectors(), norms.parse(norm))
        if verdict.bound > 0:
            with pytest.raises(RefusedCertificateError):
                check(weights, with_bounds(certificate, 1 - 1e-11))


def test_the_claim_is_word_for_word(tmp_path):
    weights = small(0)
    certificate = certified(weights, "inf")
    assert certificate.claim == (
        f"Let F be the function computed by the ONNX graph {certificate.sha256} when "
        "every stored parameter is read as the exact real number it encodes and every "
        "operator is evaluated in exact real arithmetic (inference mode). Then "
        f"||F(x)-F(y)||_inf <= {certificate.bound.hex()} ||x-y||_inf for all x, y in "
        "R^n. Checked by IEEE-754 binary64 with a-priori error bounds. This is not a "
        "statement about any floating-point execution of the graph."
    )
    verdict = check(weights, certificate)
    assert "Checked by exact integer arithmetic." in verdict.claim


def test_a_certificate_of_some_outputs_says_so():
    weights = random_weights(np.random.default_rng(0), 2, 8, outputs=3)
    report = geolip.certify(weights, "inf", rows=[1])
    assert report.certificate is not None
    assert "its outputs 1 alone" in report.certificate.claim
    assert "its outputs 1 alone" in check(weights, report.certificate).claim
    # It cannot be passed off as one of all outputs.
    whole = replace(report.certificate.proofs[0], index=None)
    with pytest.raises(RefusedCertificateError, match="each output"):
        check(weights, replace(report.certificate, proofs=[whole]))


def test_a_file_saved_again_is_the_same_model(tmp_path):
    import onnx

    model = onnx.load(MODELS[0])
    certificate = certified(MODELS[0], "inf")
    model.producer_name = "somebody else"
    verdict = check(model, certificate)
    assert "same weights and slopes" in verdict.notes[0]
    assert certificate.sha256 not in verdict.claim


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


def content(seed: int = 1) -> dict:
    return certified(small(seed), "inf").as_dict()


SPOILED = {
    "not JSON": lambda text: text[:-9],
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "a number": lambda text: "1",
    "NaN": lambda text: text.replace('"index":0', '"index":NaN'),
    "Infinity": lambda text: text.replace('"index":0', '"index":-Infinity'),
    "a decimal": lambda text: text.replace('"index":0', '"index":0.0'),
    "true for one": lambda text: text.replace('"index":0', '"index":true'),
    "a huge integer": lambda text: text.replace('"index":0', '"index":' + "9" * 5000),
    "a duplicate key": lambda text: text.replace('{"bound"', '{"bound":"","bound"', 1),
    "an unknown key": lambda text: text.replace('{"bound"', '{"a":"","bound"', 1),
    "deep": lambda text: "[" * 100_000 + "]" * 100_000,
    "deep in place": lambda text: text.replace('"index":0', '"index":[[[[[]]]]]'),
    "another format": lambda text: text.replace("certificate/1", "certificate/2"),
    "another domain": lambda text: text.replace('"R^n"', '"[0,1]^n"'),
    "another trust": lambda text: text.replace('"rigorous-float"', '"perfect"'),
    "a decimal bound": lambda text: text.replace(
        '"method":', '"bound":"1.5","method":'
    ),
    "long hexadecimal": lambda text: text.replace("0x1.", "0x1.00000000000000000"),
    "a number too large": lambda text: text.replace("p+0", "p+9999"),
    "huge hexadecimal": lambda text: text.replace("p+", "p+99"),
    "upper case": lambda text: text.replace("0x1.", "0X1."),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_damaged_files_are_refused(spoil, tmp_path):
    path = tmp_path / "c.json"
    text = strict_json.canonical(content())
    path.write_text(text)
    Certificate.load(path)
    damaged = spoil(text)
    assert damaged != text
    path.write_text(damaged)
    with pytest.raises(RefusedCertificateError):
        Certificate.load(path)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_refused(data):
    with pytest.raises(RefusedCertificateError):
        Certificate.from_dict(strict_json.parse_bytes(data, "file"))


@given(st.integers(0, 10**9), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_changed_bytes_are_refused_or_mean_the_same(place, byte):
    """The claim repeats what matters; versions may be anything."""
    data = bytearray(strict_json.canonical(CONTENT).encode())
    data[place % len(data)] = byte
    try:
        found = Certificate.from_dict(strict_json.parse_bytes(bytes(data), "file"))
    except RefusedCertificateError:
        return
    assert found.claim == CONTENT["claim"]


CONTENT = content()


@pytest.mark.parametrize("key", sorted(CONTENT))
def test_every_key_is_needed(key):
    found = json.loads(json.dumps(CONTENT))
    del found[key]
    with pytest.raises(RefusedCertificateError, match=key):
        Certificate.from_dict(found)
    for wrong in (None, [], {}, "", 3, [[]], ["x"]):
        found[key] = wrong
        if (key, wrong) in (("versions", {}), ("slopes", [])):
            continue
        with pytest.raises(RefusedCertificateError):
            Certificate.from_dict(found)


def test_texts_full_of_escapes_are_read_quickly():
    """A quadratic search for brackets would take hours here."""
    data = b'{"a":"' + b'\\"' * 1_000_000 + b'["}'
    assert list(strict_json.parse_bytes(data, "file")) == ["a"]
    with pytest.raises(RefusedCertificateError):
        strict_json.parse_bytes(data[:-2], "file")


def test_large_and_missing_files_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "c.json"
    with pytest.raises(UsageError, match="is not a file"):
        Certificate.load(path)
    path.write_text(strict_json.canonical(content()))
    monkeypatch.setattr(strict_json, "LARGEST_FILE", 100)
    with pytest.raises(RefusedCertificateError, match="larger"):
        Certificate.load(path)


def test_constants_and_norm_products_are_checked():
    weights = [np.eye(2), np.zeros((1, 2))]
    certificate = certified(weights, "inf")
    assert [proof.method for proof in certificate.proofs] == [CONSTANT]
    assert check(weights, certificate).bound == 0.0
    weights = random_weights(np.random.default_rng(5), 3, 9, outputs=2)
    certificate = certified(weights, "2")
    with pytest.raises(RefusedCertificateError, match="depends on the input"):
        check(weights, replace(certificate, proofs=[Proof(None, 0.0, CONSTANT)]))
    product = float(np.prod([np.linalg.norm(W, 2) for W in weights]))
    for factor, accepted in ((1 + 1e-9, True), (1 - 1e-9, False)):
        proof = Proof(None, product * factor, NORM_PRODUCT)
        changed = replace(certificate, proofs=[proof])
        if accepted:
            assert check(weights, changed).bound == proof.bound
        else:
            with pytest.raises(RefusedCertificateError, match="smaller"):
                check(weights, changed)


def test_multipliers_of_dead_neurons_are_zero():
    first = np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [2.0, -1.0, 0.0]])
    weights = [first, np.array([[1.0, 1.0, -3.0]])]
    certificate = certified(weights, "inf")
    (proof,) = certificate.proofs
    assert proof.multipliers is not None
    assert (proof.multipliers.tau > 0).tolist() == [True, True, False]
    assert (proof.multipliers.d[0] > 0).tolist() == [True, False, True]
    check(weights, certificate)
    raised = Multipliers(proof.multipliers.tau + 1.0, proof.multipliers.d)
    changed = replace(certificate, proofs=[replace(proof, multipliers=raised)])
    with pytest.raises(RefusedCertificateError, match="dead"):
        check(weights, changed)


@pytest.mark.parametrize("bound", [np.nan, -1.0, 0.0, -0.0])
def test_bounds_that_are_no_bounds_are_refused(bound):
    weights = small(4)
    certificate = certified(weights, "2")
    proof = replace(certificate.proofs[0], bound=bound)
    with pytest.raises(RefusedCertificateError):
        check(weights, replace(certificate, proofs=[proof]))


def test_non_negative_networks_are_exact():
    """||W3 W2 W1|| is the constant: ground truth at any size."""
    random = np.random.default_rng(0)
    weights = [random.random((m, n)) for n, m in ((30, 20), (20, 25), (25, 1))]
    truth = exact_product(weights)
    verdict = check(weights, certified(weights, "inf"))
    assert Fraction(verdict.bound) >= truth
    assert verdict.bound <= float(truth) * 1.01


def exact_product(weights: list[np.ndarray]) -> Fraction:
    product = [[Fraction(x) for x in row] for row in weights[0].tolist()]
    for W in weights[1:]:
        columns = list(zip(*product, strict=True))
        product = [
            [
                sum(Fraction(a) * b for a, b in zip(row, column, strict=True))
                for column in columns
            ]
            for row in W.tolist()
        ]
    return max(sum(row, Fraction()) for row in product)


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


def test_claims_about_external_data_name_it(tmp_path):
    """Two models whose files are the same and whose weights are not."""
    import onnx

    claims = []
    for scale in (1.0, 1e-3):
        model = onnx.load(MODELS[1])
        for tensor in model.graph.initializer:
            numbers = onnx.numpy_helper.to_array(tensor)
            if numbers.dtype == np.float32:
                changed = (numbers * np.float32(scale)).astype(np.float32)
                tensor.CopyFrom(onnx.numpy_helper.from_array(changed, tensor.name))
        path = tmp_path / "model.onnx"
        onnx.save_model(
            model,
            path,
            save_as_external_data=True,
            location=f"w{scale}"[:4],
            size_threshold=0,
        )
        claims.append(certified(path, "inf").claim.split()[10])
    assert len(claims[0]) == 64
    assert claims[0] != claims[1]


def test_factors_that_the_graph_rounds_have_no_certificate(tmp_path):
    from onnx import TensorProto, helper, numpy_helper

    def model(divisor: float) -> object:
        W = numpy_helper.from_array(np.float32([[1.0, 2.0], [3.0, -4.0]]), "W")
        d = numpy_helper.from_array(np.float32([divisor]), "d")
        nodes = [
            helper.make_node("Div", ["W", "d"], ["V"], "weights"),
            helper.make_node("MatMul", ["x", "V"], ["y"], "product"),
        ]
        x, y = (
            helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 2]) for n in "xy"
        )
        graph = helper.make_graph(nodes, "g", [x], [y], [W, d])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])

    report = geolip.certify(model(3.0), "inf", exact=True)
    assert report.trust == "estimate"
    assert report.certificate is None
    assert any("product" in note and "round" in note for note in report.notes)
    exact = certified([np.eye(2)], "inf")
    with pytest.raises(RefusedCertificateError, match="may round"):
        check(model(3.0), exact)


def test_an_output_is_not_proved_twice_for_another():
    weights = random_weights(np.random.default_rng(0), 2, 8, outputs=2)
    certificate = certified(weights, "inf")
    first, _ = certificate.proofs
    with pytest.raises(RefusedCertificateError, match="twice"):
        check(weights, replace(certificate, proofs=[first, first]))
