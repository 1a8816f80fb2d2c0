"""Checking a certificate against a model: the way of `geolip verify`.

Slopes and structure are recomputed from the model. Nothing that made the certificate is
needed or believed: no solver, no relaxation, none of its numbers but the multipliers.

Source: docs/certificates.md sections 1 and 3.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from geolip import importer, norms, pieces
from geolip.arrays import Array
from geolip.certificate import (
    EXACT,
    RIGOROUS_FLOAT,
    Certificate,
    claim,
)
from geolip.clock import StageClock
from geolip.errors import RefusedCertificateError, UnknownTensorError
from geolip.exact.decision import proved_square
from geolip.exact.layers import product_square
from geolip.fingerprint import fingerprint
from geolip.importer import DEFAULT_LIMITS, Limits
from geolip.network import Network
from geolip.norms import NormPair
from geolip.pieces import Piece
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.proof import CONSTANT, MULTIPLIERS, NORM_PRODUCT, Proof
from geolip.sectors import SectorNetwork
from geolip.verdict import Verdict
from geolip.verify import verified_bound


def check(
    model: Any,
    certificate: Certificate,
    *,
    exact: bool = True,
    limits: Limits = DEFAULT_LIMITS,
    progress: Callable[[str], None] | None = None,
) -> Verdict:
    """Check that a certificate proves its claim about a model.

    Parameters
    ----------
    model : path, onnx.ModelProto or sequence of array (n_k, n_{k-1})
        As for `geolip.certify`.
    certificate : Certificate
        From anybody.
    exact : bool
        Decide in exact integer arithmetic; otherwise in float64 with margins for every
        rounding.
    limits : geolip.Limits
        As for `geolip.certify`.
    progress : callable, optional
        Called now and then with a line of text.

    Returns
    -------
    Verdict
        If it proves its claim.

    Raises
    ------
    RefusedCertificateError
        If it does not; the message says why.
    UsageError, ModelError
        If the model cannot be read.
    """
    clock = StageClock()
    ends = certificate.input_name, certificate.output_name
    try:
        network, sha256 = importer.load_with_hash(
            model, limits, input_name=ends[0], output_name=ends[1]
        )
    except UnknownTensorError as error:
        raise RefusedCertificateError(f"it names tensors {ends}: {error}") from error
    pair = _norms(certificate)
    if network.head is not None and certificate.outputs is not None:
        raise RefusedCertificateError(
            f"{network.head.name} mixes outputs, and not all that it reads are proved"
        )
    network = network.without_head(pair.output)
    _check_model(certificate, network)
    notes = []
    if sha256 != certificate.sha256:
        notes.append(
            "the file is another one than certified, with the same weights and slopes"
        )
    sectors, proofs = network.sectors(), certificate.proofs
    _check_pieces(certificate, sectors, pair)
    for number, proof in enumerate(proofs, 1):
        if progress is not None:
            progress(f"proof {number} of {len(proofs)}")
        # Made one at a time: all together they are many times the network.
        piece = Piece(sectors, pair)
        if proof.index is not None:
            piece = pieces.piece(sectors, pair, proof.index)
        _check_proof(proof, piece, exact)
    trust = EXACT if exact else RIGOROUS_FLOAT
    return Verdict(
        bound=certificate.bound,
        trust=trust,
        claim=claim(
            sha256,
            ends,
            certificate.bound,
            pair.input.name,
            pair.output.name,
            certificate.outputs,
            trust,
        ),
        seconds=clock.elapsed(),
        notes=tuple(notes),
    )


def _norms(certificate: Certificate) -> NormPair:
    names = certificate.input_norm, certificate.output_norm
    # As they are written in claims, and in no other way that a user may.
    if not set(names) <= set(norms.NORMS):
        known = ", ".join(norms.NORMS)
        raise RefusedCertificateError(f"it is about norms {names}, known are {known}")
    return norms.parse(names)


def _check_model(certificate: Certificate, network: Network) -> None:
    if network.inexact:
        raise RefusedCertificateError(network.inexactness)
    sectors = network.sectors()
    if fingerprint(sectors) != certificate.semantic_sha256:
        raise RefusedCertificateError("it is about another model: the weights differ")
    shapes = tuple(certificate.input_shape), tuple(certificate.output_shape)
    if shapes != (found := (network.input_shape, network.output.shape)):
        raise RefusedCertificateError(
            f"it names tensors of shapes {shapes}, while the model has {found}"
        )
    pairs = [(block.lower, block.upper) for block in sectors.blocks]
    agree = len(pairs) == len(certificate.slopes) and all(
        _equal(mine, theirs)
        for ends, claimed in zip(pairs, certificate.slopes, strict=True)
        for mine, theirs in zip(ends, claimed, strict=True)
    )
    if not agree:
        raise RefusedCertificateError("its slopes are not those of the activations")


def _equal(mine: Array, theirs: Array) -> bool:
    """Return whether the numbers are equal; a single one stands for all."""
    return theirs.size in (1, mine.size) and bool((mine == theirs).all())


def _check_pieces(
    certificate: Certificate, sectors: SectorNetwork, pair: NormPair
) -> None:
    """Refuse proofs that are not about all that is claimed."""
    indices = [proof.index for proof in certificate.proofs]
    count = pieces.count(sectors, pair)
    if indices == [None]:
        if count > 1:
            raise RefusedCertificateError(
                f"with norms {pair}, each output or input is proved"
            )
        return
    if not pair.rowwise and not pair.columnwise:
        raise RefusedCertificateError(f"with norms {pair}, there is one proof of all")
    known = [index for index in indices if index is not None]
    all_there = {*range(count), *pieces.coarse(sectors, pair)}
    if len(set(known)) < len(indices) or not all_there.issuperset(known):
        what = "input" if pair.columnwise else "output"
        raise RefusedCertificateError(f"an {what} is proved twice, or does not exist")
    proved = {i for index in known for i in pieces.covered(sectors, pair, index)}
    if pair.columnwise and len(proved) < count:
        raise RefusedCertificateError("an input is not proved")


def _check_proof(proof: Proof, piece: Piece, exact: bool) -> None:
    what = "input" if piece.norms.columnwise else "output"
    what = f"the whole {what}" if proof.index is None else f"{what} {proof.index}"
    try:
        proved = _proved(proof, piece, exact)
    except RefusedCertificateError as error:
        raise RefusedCertificateError(f"{what}: {error}") from error
    # Written so that NaN is refused.
    if not (proof.bound >= 0 and proved <= Fraction(proof.bound) ** 2):
        raise RefusedCertificateError(
            f"{what}: the bound {proof.bound!r} is smaller than what is proved"
        )


def _proved(proof: Proof, piece: Piece, exact: bool) -> Fraction:
    """Return the square of the bound that a proof proves."""
    if proof.method == NORM_PRODUCT:
        network, norms = piece.network, piece.norms
        square = product_square(reduce(network).network, norms)
        if not network.has_mixtures:
            return square
        return min(square, product_square(network, norms))
    reduction, norm = reduce(piece.relaxed), piece.norms.input
    problem = Problem(reduction.network, norm)
    if proof.method == CONSTANT:
        if not problem.is_trivial:
            raise RefusedCertificateError("the output depends on the input")
        return Fraction()
    if proof.method != MULTIPLIERS or proof.multipliers is None:
        raise RefusedCertificateError(f"there is no method {proof.method!r}")
    multipliers = reduction.reduced(proof.multipliers)
    if problem.is_trivial:
        return Fraction()
    if exact:
        return proved_square(reduction.network, norm, multipliers)
    bound = verified_bound(problem, multipliers)
    if bound is None:
        raise RefusedCertificateError("the multipliers are not shown to prove anything")
    return Fraction(bound) ** 2
