"""From a model to a report: the way of `geolip.certify`.

Stage times are taken on the way and nowhere else.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from geolip import (
    backend,
    checking,
    importer,
    norms,
    provenance,
    relaxations,
)
from geolip.backend import Settings
from geolip.bounding import Bounding
from geolip.certificate import ESTIMATE, EXACT, RIGOROUS_FLOAT, Certificate
from geolip.clock import StageClock
from geolip.errors import RefusedCertificateError, SolverUnavailableError, UsageError
from geolip.execution import forward_error
from geolip.fingerprint import fingerprint
from geolip.importer import DEFAULT_LIMITS, Limits
from geolip.incumbent import Progress
from geolip.network import Network
from geolip.norms import NormPair
from geolip.proof import Proof
from geolip.report import ModelSummary, Report
from geolip.target import targets_of

DEFAULT_SOLVER = "auto"


# Overflow ends in infinities and NaN, which the verifier and every repair refuse.
@np.errstate(over="ignore", invalid="ignore")
def certify(
    model: Any,
    norm: object = "inf",
    *,
    example_input: Any = None,
    input_name: str | None = None,
    output_name: str | None = None,
    method: str | None = None,
    solver: str | None = None,
    accuracy: float = Settings.accuracy,
    time_limit: float | None = None,
    rows: str | Sequence[int] = "largest",
    seed: int = 0,
    solver_options: Mapping[str, Any] | None = None,
    verbose: bool = False,
    exact: bool = False,
    float_exec: Sequence[float] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Report:
    """Certify the Lipschitz constant of a network.

    Parameters
    ----------
    model : path, onnx.ModelProto, sequence of array (n_k, n_{k-1}) or torch.nn.Module
        An ONNX file or model; weight matrices with a ReLU between each two, as such or
        in a file (``.mat``, ``.npz``, ``.nnet``); or a PyTorch module.
    norm : str, number or pair
        Of inputs and outputs: ``"inf"``, ``2``, ``1``, ``"2:inf"``, ``("2", "inf")``.
    example_input : torch.Tensor or tuple of them, optional
        What a PyTorch module is called with. The model is then its ONNX export, as
        `geolip.export` gives it.
    input_name, output_name : str, optional
        The tensors between which the function is, where it is not the whole model: the
        output may be any tensor, such as the logits before a Softmax, the input any
        through which alone the output depends on inputs. Other inputs must not matter.
    method : str, optional
        A relaxation's name; by default the one that goes with the norms.
    solver : str, optional
        A solver's name; ``auto`` by default.
    accuracy : float
        The relative verified gap at which a solver may stop.
    time_limit : float, optional
        Seconds for all solves together, and as many for the search of lower bounds;
        what is verified by then is reported.
    rows : str or sequence of int
        Where each output has a bound of its own: ``"largest"`` bounds all and settles
        the largest to the accuracy, ``"all"`` settles each of them, and a list bounds
        and settles those outputs alone; the report is then about them. Where inputs
        have bounds of their own, in l_1, the first two do the same with them.
    seed : int
        Of everything random.
    solver_options : mapping, optional
        Handed to the solver untouched.
    verbose : bool
        Let a third-party solver print its log.
    exact : bool
        Check the bound in exact integer arithmetic as well, as `geolip.verify` does.
    float_exec : pair of float, optional
        Also bound how far executing the model in float32 is from its real function, for
        inputs with all coordinates between the two numbers.
    limits : geolip.Limits
        The most memory and time that reading the model from a file may take.
    progress : callable, optional
        Called now and then with what prints as one line: a text, or a
        `geolip.incumbent.Look` at a bound in the making.

    Returns
    -------
    Report
        With a verified bound of the constant in the given norms.

    Raises
    ------
    UsageError
        An unknown name, a missing file, a value out of range.
    ModelError
        The model cannot be read, or (`UnsupportedModelError`) uses something
        unsupported.
    SolverUnavailableError
        The solver is not installed or has no licence.
    CertificationError
        Not even a closed form gives a finite bound, or numbers in the region of
        ``float_exec`` may leave float32's range.
    """
    pair = norms.parse(norm)
    settings = checked(
        Settings(accuracy, time_limit, seed, verbose, dict(solver_options or {}))
    )
    method, relaxation = relaxations.choose(method, pair)
    name = solver or DEFAULT_SOLVER
    engine = backend.get(name)
    if (reason := engine.usable()) is not None:
        raise SolverUnavailableError(f"solver {name} is not usable: {reason}")
    clock = StageClock()
    with clock.stage("read"):
        if example_input is not None:
            model = importer.export(model, example_input)
        network, summary = read(model, limits, input_name, output_name)
        head = network.head
        if head is not None and rows not in ("largest", "all"):
            raise UsageError(f"{head.name} mixes outputs, so rows cannot be chosen")
        network = network.without_head(pair.output)
        targets = targets_of(network.sectors(), pair, rows)
        execution = (
            None
            if float_exec is None
            else forward_error(model, float_exec, input_name, output_name)
        )
    bounding = Bounding(
        network=network,
        norms=pair,
        method=method,
        relaxation=relaxation,
        engine=engine,
        settings=settings,
        refine_all=rows != "largest",
        seeks_lower_bounds=head is None,
        clock=clock,
        progress=progress or _silent,
    )
    outputs = bounding.bound(targets)
    if head is not None:
        bounding.notes.append(
            f"outputs are what {head.name} reads, times its Lipschitz constant "
            f"{head.constants[pair.output.name]:g}; lower bounds are not sought"
        )
    certificate = _certificate(network, pair, summary, bounding.proofs)
    if network.inexact:
        bounding.notes.append(f"an estimate: {network.inexactness}")
    if exact:
        bounding.progress("exact arithmetic")
        with clock.stage("verify"):
            certificate = _confirmed(model, certificate, limits, bounding.notes)
    return Report(
        model=summary,
        input_norm=pair.input.name,
        output_norm=pair.output.name,
        method=method,
        solver=name,
        trust=_trust(network, certificate),
        outputs=tuple(outputs),
        seconds=clock.finished(),
        notes=tuple(dict.fromkeys(bounding.notes)),
        versions=provenance.versions(),
        threads=provenance.threads(),
        certificate=certificate,
        float_execution=execution,
    )


def _certificate(
    network: Network,
    pair: NormPair,
    summary: ModelSummary,
    proofs: Sequence[Proof | None],
) -> Certificate | None:
    known = [proof for proof in proofs if proof is not None]
    if len(known) < len(proofs) or network.inexact:
        return None
    sectors = network.sectors()
    return Certificate(
        sha256=summary.sha256,
        semantic_sha256=fingerprint(sectors),
        input_name=network.input_name,
        output_name=network.output_name,
        input_shape=network.input_shape,
        output_shape=network.output.shape,
        input_norm=pair.input.name,
        output_norm=pair.output.name,
        slopes=[(block.lower, block.upper) for block in sectors.blocks],
        proofs=known,
        trust=RIGOROUS_FLOAT,
        versions=provenance.versions(),
    )


def _trust(network: Network, certificate: Certificate | None) -> str:
    if network.inexact:
        return ESTIMATE
    return RIGOROUS_FLOAT if certificate is None else certificate.trust


def _confirmed(
    model: Any, certificate: Certificate | None, limits: Limits, notes: list[str]
) -> Certificate | None:
    """Return the certificate as an exact one, if exact arithmetic confirms it."""
    if certificate is None:
        notes.append("not checked in exact arithmetic: there is no certificate")
        return None
    try:
        checking.check(model, certificate, limits=limits)
    except RefusedCertificateError as error:
        notes.append(f"exact arithmetic does not confirm the bound: {error}")
        return certificate
    except (MemoryError, KeyboardInterrupt) as error:
        why = "out of memory" if isinstance(error, MemoryError) else "interrupted"
        notes.append(f"not checked in exact arithmetic: {why}")
        return certificate
    return replace(certificate, trust=EXACT)


def checked(settings: Settings) -> Settings:
    """Return settings as they are.

    Raises
    ------
    UsageError
        If a number in them is out of range.
    """
    _check_positive("accuracy", settings.accuracy)
    if settings.time_limit is not None:
        _check_positive("the time limit", settings.time_limit)
    seed: object = settings.seed
    if not isinstance(seed, Integral) or seed < 0:
        raise UsageError(f"the seed must be a non-negative integer, found {seed!r}")
    return settings


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, Real) or not 0 < float(value) < np.inf:
        raise UsageError(f"{name} must be positive and finite, found {value!r}")


def read(
    model: Any, limits: Limits, input_name: str | None, output_name: str | None
) -> tuple[Network, ModelSummary]:
    """Return the network of a model, as in `certify`, and what reports say of it."""
    network, sha256 = importer.load_with_hash(
        model, limits, input_name=input_name, output_name=output_name
    )
    path = os.fspath(model) if isinstance(model, str | os.PathLike) else None
    return network, ModelSummary(
        path=path,
        sha256=sha256,
        inputs=network.input_size,
        outputs=network.output.size,
        neurons=network.neurons,
        layers=len(network.blocks),
    )


def _silent(_: object) -> None:
    """Show no progress."""
