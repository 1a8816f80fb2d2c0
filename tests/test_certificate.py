"""Certificates: what is written is accepted, and says what is proved."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from certificates import NORMS, certified, small, with_bounds
from generators import random_weights
from oracles import formal_constant

import geolip
from geolip import importer, norms
from geolip.certificate import Certificate
from geolip.checking import check
from geolip.errors import RefusedCertificateError
from geolip.multipliers import Multipliers
from geolip.proof import CONSTANT, NORM_PRODUCT, Proof

MODELS = sorted((Path(__file__).parents[1] / "models").glob("*.onnx"))


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
        "Let F be the function from tensor 'input' to tensor 'output' that the model "
        f"{certificate.sha256} computes when every stored parameter is read as the "
        "exact real number it encodes and every operator is evaluated in exact real "
        "arithmetic (inference mode). Then ||F(x)-F(y)||_inf <= "
        f"{certificate.bound.hex()} ||x-y||_inf for all x, y in R^n. Checked by "
        "IEEE-754 binary64 with a-priori error bounds. This is not a statement about "
        "any floating-point execution of the model."
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
        claims.append(certified(path, "inf").claim.split()[14])
    assert len(claims[0]) == 64
    assert claims[0] != claims[1]


def test_factors_that_nobody_knows_have_no_certificate():
    from onnx import TensorProto, helper, numpy_helper

    def model(*operator: str) -> object:
        W = numpy_helper.from_array(np.float32([[1.0, 2.0], [3.0, -4.0]]), "W")
        d = numpy_helper.from_array(np.float32([3.0]), "d")
        nodes = [
            helper.make_node(operator[0], operator[1:], ["V"], "weights"),
            helper.make_node("MatMul", ["x", "V"], ["y"], "product"),
        ]
        x, y = (
            helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 2]) for n in "xy"
        )
        graph = helper.make_graph(nodes, "g", [x], [y], [W, d])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])

    report = geolip.certify(model("Exp", "W"), "inf", exact=True)
    assert report.trust == "estimate"
    assert report.certificate is None
    assert any("product" in note and "round" in note for note in report.notes)
    exact = certified([np.eye(2)], "inf")
    exact = replace(exact, input_name="x", output_name="y")
    with pytest.raises(RefusedCertificateError, match="may round"):
        check(model("Exp", "W"), exact)
    # How far quotients are off is known.
    report = geolip.certify(model("Div", "W", "d"), "inf", exact=True)
    assert report.trust == "exact"
    assert 2 < report.bound < 2 * (1 + 1e-12)
