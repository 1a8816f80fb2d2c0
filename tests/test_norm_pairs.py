"""Every pair of norms: pieces against brute force, duality and closed forms."""

from dataclasses import replace
from functools import reduce as fold

import numpy as np
import pytest
from certificates import with_bounds
from cli_runs import FC, succeeded
from generators import chain, random_chain, random_graph, random_weights
from oracles import PAIRS, chain_weights, formal_constant, matrix_norms

import geolip
from geolip import backend, importer, norms, pieces
from geolip.backend import Settings
from geolip.bounds.norm_product import norm_product
from geolip.certificate import Certificate
from geolip.checking import check
from geolip.errors import RefusedCertificateError, UsageError
from geolip.incumbent import Incumbent
from geolip.multipliers import Multipliers
from geolip.norms import NormPair
from geolip.pieces import Piece
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.proof import NORM_PRODUCT, Proof
from geolip.sectors import SectorNetwork

# Those that outputs alone, or the whole, do not settle.
BY_PIECES = [pair for pair in PAIRS if "1" in pair.split(":")]
ACCURACY = 1e-6
GROTHENDIECK = 1.7823


def solve(network: SectorNetwork, pair: NormPair) -> tuple[float, float]:
    """Return the relaxation's value and the verified bound of the largest piece."""
    found = [
        _solved(pieces.piece(network, pair, index))
        for index in range(pieces.count(network, pair))
    ]
    return max(value for value, _ in found), max(bound for _, bound in found)


def _solved(piece: Piece) -> tuple[float, float]:
    problem = Problem(reduce(piece.relaxed).network, piece.norms.input)
    if problem.is_trivial:
        return 0.0, 0.0
    judge = Incumbent(problem, accuracy=ACCURACY)
    settings = Settings(ACCURACY, extra={"max_iterations": 3000})
    solution = backend.get("lifted").solve(problem, settings, judge)
    assert solution.value is not None
    return solution.value, judge.settle()


def dual(pair: NormPair) -> NormPair:
    """Return the pair of norms in which the transposed map has the same constant."""
    names = {"1": "inf", "2": "2", "inf": "1"}
    return norms.parse((names[pair.output.name], names[pair.input.name]))


@pytest.mark.parametrize("norm", PAIRS)
@pytest.mark.parametrize("kind", [random_chain, random_graph])
def test_pieces_have_the_constant_of_the_whole(kind, norm):
    pair = norms.parse(norm)
    for seed in range(6):
        network = kind(np.random.default_rng(seed), 7, 3)
        parts = [
            pieces.piece(network, pair, index)
            for index in range(pieces.count(network, pair))
        ]
        whole = formal_constant(network, pair)
        for found in (
            [formal_constant(part.network, pair) for part in parts],
            [formal_constant(part.relaxed, part.ends) for part in parts],
        ):
            assert max(found) == pytest.approx(whole, rel=1e-12)
        # Each of the coarse ones is the largest of those that it covers.
        for index in pieces.coarse(network, pair):
            part = pieces.piece(network, pair, index)
            covered = [parts[i] for i in pieces.covered(network, pair, index)]
            assert formal_constant(part.network, pair) == pytest.approx(
                max(formal_constant(one.network, pair) for one in covered), rel=1e-12
            )


@pytest.mark.parametrize("norm", PAIRS)
def test_pieces_are_counted_and_named_once(norm):
    pair = norms.parse(norm)
    network = random_graph(np.random.default_rng(1), 7, 3)
    count = pieces.count(network, pair)
    inputs = network.input_size if norm.startswith("1") else 1
    assert count == inputs * (3 if norm.endswith("inf") else 1)
    every = {*range(count), *pieces.coarse(network, pair)}
    assert len({pieces.name(network, pair, index) for index in every}) == len(every)
    covered = [
        part
        for index in pieces.coarse(network, pair)
        for part in pieces.covered(network, pair, index)
    ]
    assert sorted(covered) == list(range(count))


@pytest.mark.parametrize("norm", BY_PIECES)
@pytest.mark.parametrize("kind", [random_chain, random_graph])
@pytest.mark.parametrize("batch", range(2))
def test_bounds_hold_against_brute_force(kind, norm, batch):
    pair = norms.parse(norm)
    for seed in range(4 * batch, 4 * batch + 4):
        network = kind(np.random.default_rng(seed), 8, 2)
        exact = formal_constant(network, pair)
        value, bound = solve(network, pair)
        assert exact <= bound <= value * (1 + 1e-3)
        depth = len(network.blocks)
        assert bound <= exact * (GROTHENDIECK if depth < 2 else 3)


@pytest.mark.parametrize("norm", PAIRS)
def test_the_transposed_network_has_the_same_relaxation(norm):
    pair = norms.parse(norm)
    for seed in range(4):
        network = random_chain(np.random.default_rng(seed), 8, 3, depth=2)
        ends = network.blocks[0].lower[0], network.blocks[0].upper[0]
        turned = chain([W.T for W in reversed(chain_weights(network))], ends)
        assert formal_constant(turned, dual(pair)) == pytest.approx(
            formal_constant(network, pair), rel=1e-12
        )
        value, bound = solve(network, pair)
        others, other = solve(turned, dual(pair))
        assert value <= other * (1 + 1e-9)
        assert others <= bound * (1 + 1e-9)


@pytest.mark.parametrize("norm", PAIRS)
def test_non_negative_networks_are_solved(norm):
    pair = norms.parse(norm)
    for seed in range(2):
        random = np.random.default_rng(seed)
        weights = [np.abs(W) for W in random_weights(random, 3, 12, 3)]
        product = fold(lambda J, W: W @ J, weights)
        exact = matrix_norms(product[None], pair)[0]
        report = geolip.certify(weights, norm, accuracy=1e-7)
        assert report.bound >= exact * (1 - 1e-12)
        assert report.bound <= exact * (1 + 1e-6)
        assert report.lower_bound >= exact * (1 - 1e-9)
        assert report.certificate is not None
        assert check(weights, report.certificate).bound == report.bound


@pytest.mark.parametrize("norm", PAIRS)
def test_norm_products_are_proved_too(norm):
    """A layer of rank one, where they are as tight as anything."""
    column, row = np.array([[3.0], [1.0], [2.0]]), np.array([[1.0, 5.0, 2.0, 0.5]])
    weights = [column @ row]
    proved = geolip.certify(weights, norm).certificate
    assert proved is not None
    network, pair = importer.load(weights).sectors(), norms.parse(norm)
    first, count = pieces.coarse(network, pair), pieces.count(network, pair)
    parts = [pieces.piece(network, pair, index).network for index in first]
    products = [norm_product(part, pair) for part in parts]
    indices = list(first) if count > 1 else [None]
    proofs = [
        Proof(index, product * (1 + 1e-12), NORM_PRODUCT)
        for index, product in zip(indices, products, strict=True)
    ]
    exact = matrix_norms(weights[0][None], pair)[0]
    verdict = check(weights, replace(proved, proofs=proofs))
    assert exact <= verdict.bound <= exact * (1 + 1e-9)
    lower = [replace(proof, bound=0.999 * proof.bound) for proof in proofs]
    with pytest.raises(RefusedCertificateError, match="smaller than what is proved"):
        check(weights, replace(proved, proofs=lower))


def test_a_linear_map_from_the_cube_to_l_1():
    """Of norm 2; the relaxation gives 2 sqrt 2, as in Tsirelson's inequality."""
    W = np.array([[1.0, 1.0], [1.0, -1.0]])
    report = geolip.certify([W], "inf:1", accuracy=1e-7)
    assert report.lower_bound == pytest.approx(2.0)
    assert report.bound == pytest.approx(2 * np.sqrt(2), rel=1e-6)


# Certificates -----------------------------------------------------------------------


def small(seed: int) -> list[np.ndarray]:
    return random_weights(np.random.default_rng(seed), 1 + seed % 2, 7, 3)


@pytest.mark.parametrize("norm", BY_PIECES)
@pytest.mark.parametrize("seed", range(4))
def test_certificates_are_accepted_and_not_by_more_than_they_prove(norm, seed):
    weights, pair = small(seed), norms.parse(norm)
    report = geolip.certify(weights, norm)
    certificate = report.certificate
    assert certificate is not None
    exact = formal_constant(importer.load(weights).sectors(), pair)
    assert report.lower_bound <= report.fgl_lower_bound <= exact * (1 + 1e-12)
    assert report.fgl_lower_bound >= 0.99 * exact
    assert report.bound >= exact
    assert f"_{pair.output.name} <= " in certificate.claim
    assert f" ||x-y||_{pair.input.name} " in certificate.claim
    again = Certificate.from_dict(certificate.as_dict())
    for exactly in (True, False):
        assert check(weights, again, exact=exactly).bound == report.bound
    with pytest.raises(RefusedCertificateError, match="smaller than what is proved"):
        check(weights, with_bounds(certificate, 1 - 1e-9))


@pytest.mark.parametrize("norm", ["1", "1:2", "1:inf"])
def test_no_input_may_be_left_out(norm):
    weights = small(0)
    certificate = geolip.certify(weights, norm).certificate
    assert certificate is not None
    proofs = certificate.proofs
    for fewer in (proofs[1:], [*proofs[1:], proofs[-1]]):
        with pytest.raises(RefusedCertificateError):
            check(weights, replace(certificate, proofs=fewer))
    alone = replace(certificate, proofs=[replace(proofs[0], index=None)])
    with pytest.raises(RefusedCertificateError, match="is proved"):
        check(weights, alone)


@pytest.mark.parametrize("norm", ["1", "2:1", "inf:1"])
def test_multipliers_of_absolute_values_are_needed(norm):
    weights = small(1)
    certificate = geolip.certify(weights, norm).certificate
    assert certificate is not None
    first, *others = certificate.proofs
    assert first.multipliers is not None
    *d, absolute = first.multipliers.d
    for last in ([], [0.5 * absolute], [absolute[:-1]], [0 * absolute]):
        changed = Multipliers(first.multipliers.tau, (*d, *last))
        proofs = [replace(first, multipliers=changed), *others]
        for exactly in (True, False):
            with pytest.raises(RefusedCertificateError):
                check(weights, replace(certificate, proofs=proofs), exact=exactly)


def test_many_pairs_are_bounded_together():
    """Inputs that move little are not taken apart, and prove as much."""
    random = np.random.default_rng(0)
    weights = [random.standard_normal((6, 12)), random.standard_normal((4, 6))]
    weights[0][:, 3:] /= 20
    exact = formal_constant(importer.load(weights).sectors(), norms.parse("1:inf"))
    every = geolip.certify(weights, "1:inf", rows="all")
    few = geolip.certify(weights, "1:inf")
    assert len(every.outputs) == 48
    assert 12 + 3 <= len(few.outputs) < 30
    for report in (every, few):
        assert exact <= report.bound <= exact * (1 + 1e-3)
        assert report.lower_bound <= exact
        assert check(weights, report.certificate).bound == report.bound
    late = geolip.certify(weights, "1:inf", time_limit=1e-9)
    assert late.bound >= exact
    assert check(weights, late.certificate).bound == late.bound
    proofs = few.certificate.proofs
    for left_out in range(len(proofs)):
        fewer = [*proofs[:left_out], *proofs[left_out + 1 :]]
        with pytest.raises(RefusedCertificateError):
            check(weights, replace(few.certificate, proofs=fewer), exact=False)


@pytest.mark.parametrize("norm", BY_PIECES)
def test_rows_cannot_be_chosen(norm):
    with pytest.raises(UsageError, match="rows can be chosen only"):
        geolip.certify(small(0), norm, rows=[0])


@pytest.mark.parametrize("norm", BY_PIECES)
def test_networks_that_do_not_move(norm):
    report = geolip.certify([np.zeros((3, 2)), np.ones((2, 3))], norm)
    assert report.bound == report.lower_bound == 0.0
    assert report.certificate is not None
    assert check([np.zeros((3, 2)), np.ones((2, 3))], report.certificate).bound == 0.0


def test_the_command_line_takes_any_pair(tmp_path):
    file = str(tmp_path / "c.json")
    text = succeeded("certify", FC, "--norm", "inf:1", "--certificate", file)
    assert "l_inf -> l_1" in text
    assert "||F(x)-F(y)||_1 <= " in succeeded("verify", FC, file)
