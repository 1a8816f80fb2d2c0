"""Certificates: everything that is needed to prove a bound again, in one JSON file.

A certificate names the model, the norms and the claim, and holds the multipliers; the
checker recomputes the rest from the model. Real numbers are hexadecimal, so that none
is rounded on the way.

Source: docs/certificates.md section 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geolip.arrays import Array
from geolip.errors import RefusedCertificateError
from geolip.files import write_whole
from geolip.proof import Proof
from geolip.strict_json import Reader, canonical, numbers, parse

FORMAT = "geolip.certificate/1"
DOMAIN = "R^n"
# The trust levels; an estimate has no certificate.
EXACT, RIGOROUS_FLOAT, ESTIMATE = "exact", "rigorous-float", "estimate"
_CHECKS = {
    EXACT: "exact integer arithmetic",
    RIGOROUS_FLOAT: "IEEE-754 binary64 with a-priori error bounds",
}


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proved bound of a model's Lipschitz constant.

    Parameters
    ----------
    sha256 : str
        Of the model file's bytes.
    semantic_sha256 : str
        Of the linear maps and sectors that the file stands for.
    input_name, output_name : str
        The tensors.
    input_shape, output_shape : sequence of int
        Their shapes.
    input_norm, output_norm : str
        The norms' names.
    slopes : sequence of (array, array)
        The ends of the sectors of every activation layer's neurons.
    proofs : sequence of Proof
        One an output, or a single one for the whole output.
    trust : str
        ``exact`` or ``rigorous-float``.
    versions : mapping of str to str
        Of what made it; nothing rests on them.
    """

    sha256: str
    semantic_sha256: str
    input_name: str
    output_name: str
    input_shape: Sequence[int]
    output_shape: Sequence[int]
    input_norm: str
    output_norm: str
    slopes: Sequence[tuple[Array, Array]]
    proofs: Sequence[Proof]
    trust: str
    versions: Mapping[str, str]

    @property
    def bound(self) -> float:
        """The bound of all outputs that the certificate is about."""
        return max(proof.bound for proof in self.proofs)

    @property
    def outputs(self) -> list[int] | None:
        """The outputs that it is about, None for all of them."""
        if self.input_norm == "1":
            # Proofs are about inputs, and none may be missing.
            return None
        indices = [proof.index for proof in self.proofs]
        size = int(np.prod(self.output_shape, dtype=np.int64))
        known = [index for index in indices if index is not None]
        return None if len(known) < len(indices) or len(known) == size else known

    @property
    def claim(self) -> str:
        """What is proved, in words."""
        return claim(
            self.sha256,
            (self.input_name, self.output_name),
            self.bound,
            self.input_norm,
            self.output_norm,
            self.outputs,
            self.trust,
        )

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        UsageError
            If it cannot be written; what was there before is untouched.
        """
        write_whole(Path(path), canonical(self.as_dict()))

    @classmethod
    def load(cls, path: str | Path) -> "Certificate":
        """Read a file.

        Raises
        ------
        UsageError
            If there is no such file.
        RefusedCertificateError
            If it is not a certificate, or not well formed.
        """
        return cls.from_dict(parse(Path(path)))

    def as_dict(self) -> dict[str, Any]:
        """Return the content of the file as plain data."""
        return {
            "format": FORMAT,
            "claim": self.claim,
            "domain": DOMAIN,
            "trust": self.trust,
            "bound": self.bound.hex(),
            "model": {"sha256": self.sha256, "semantic_sha256": self.semantic_sha256},
            "input": {
                "name": self.input_name,
                "shape": list(self.input_shape),
                "norm": self.input_norm,
            },
            "output": {
                "name": self.output_name,
                "shape": list(self.output_shape),
                "norm": self.output_norm,
            },
            "slopes": [[_hex(lower), _hex(upper)] for lower, upper in self.slopes],
            "proofs": [proof.as_dict() for proof in self.proofs],
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, content: object) -> "Certificate":
        """Return the certificate that plain data describes.

        Raises
        ------
        RefusedCertificateError
            If anything is missing, superfluous or of the wrong kind.
        """
        top = Reader(content, "the certificate")
        if (found := top.text("format")) != FORMAT:
            raise RefusedCertificateError(
                f"the format is {found!r}: this version reads {FORMAT!r}"
            )
        model, given, result = (
            top.object(name) for name in ("model", "input", "output")
        )
        certificate = cls(
            sha256=model.text("sha256"),
            semantic_sha256=model.text("semantic_sha256"),
            input_name=given.text("name"),
            output_name=result.text("name"),
            input_shape=given.integers("shape"),
            output_shape=result.integers("shape"),
            input_norm=given.text("norm"),
            output_norm=result.text("norm"),
            slopes=[_slopes_from(pair) for pair in top.lists("slopes")],
            proofs=[Proof.from_reader(proof) for proof in top.objects("proofs")],
            trust=top.text("trust"),
            versions=top.object("versions").texts(),
        )
        claimed, bound, domain = (
            top.text("claim"),
            top.number("bound"),
            top.text("domain"),
        )
        for reader in (top, model, given, result):
            reader.close()
        certificate._check(claimed, bound, domain)
        return certificate

    def _check(self, claimed: str, bound: float, domain: str) -> None:
        if not self.proofs or bound != self.bound:
            raise RefusedCertificateError("the bound is not the largest of the proofs'")
        if domain != DOMAIN:
            raise RefusedCertificateError(
                f"the domain is {domain!r}, expected {DOMAIN}"
            )
        if self.trust not in _CHECKS:
            raise RefusedCertificateError(f"there is no trust level {self.trust!r}")
        if claimed != self.claim:
            raise RefusedCertificateError("the claim does not say what is proved")


def claim(
    sha256: str,
    ends: tuple[str, str],
    bound: float,
    input_norm: str,
    output_norm: str,
    outputs: Sequence[int] | None,
    trust: str,
) -> str:
    """Return the claim of a certificate, word for word."""
    which = (
        ""
        if outputs is None
        else ("F stands for its outputs " + ", ".join(map(str, outputs)) + " alone. ")
    )
    return (
        f"Let F be the function from tensor {ends[0]!r} to tensor {ends[1]!r} that the "
        f"model {sha256} computes when every stored parameter is read as the exact "
        "real number it encodes and every operator is evaluated in exact real "
        f"arithmetic (inference mode). {which}Then ||F(x)-F(y)||_{output_norm} <= "
        f"{bound.hex()} ||x-y||_{input_norm} for all x, y in {DOMAIN}. Checked by "
        f"{_CHECKS.get(trust, trust)}. This is not a statement about any "
        "floating-point execution of the model."
    )


def _hex(numbers: Array) -> list[str] | str:
    """Return numbers for the file; a single one if all are equal."""
    values = [float(x).hex() for x in numbers]
    return values[0] if values and len(set(values)) == 1 else values


def _slopes_from(pair: object) -> tuple[Array, Array]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise RefusedCertificateError(
            "slopes are not pairs of a lower and an upper end"
        )
    return numbers(pair[0]), numbers(pair[1])
