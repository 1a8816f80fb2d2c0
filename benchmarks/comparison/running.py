"""Asking every tool about every network of a family."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import published
from cases import show
from families import Family, Member

from comparison import processes
from comparison.records import Records, key
from comparison.tools import Kind, Tool
from geolip import importer, norms
from geolip.errors import GeolipError
from geolip.network import Network

# Seconds beside the time limit for reading a model and warming up; and for coming to an
# end, where a tool knows the limit: how far it overruns is in the results.
_START, _END = 5.0, 20.0


@dataclass(frozen=True)
class Conditions:
    """What is the same for all cases of a family.

    Parameters
    ----------
    facts : dict
        What every record says: the family, the limit, the commit, the run.
    time_limit : float
        Seconds of a case.
    memory_limit : int
        Bytes of address space of a case.
    grows : bool
        Whether a tool that failed is not tried on the networks after.
    """

    facts: dict[str, Any]
    time_limit: float
    memory_limit: int
    grows: bool


@dataclass(frozen=True)
class Case:
    """One tool's turn on one network.

    Parameters
    ----------
    tool : Tool
        What is asked.
    path, chain : Path
        The network's file; its matrices, if it is fully connected.
    facts : dict
        What the record says of the case whatever comes out.
    refusal : str or None
        Why the tool is not asked.
    """

    tool: Tool
    path: Path
    chain: Path
    facts: dict[str, Any]
    refusal: str | None


def chains(
    family: Family, full: bool, tools: Sequence[Tool], folder: Path
) -> Iterator[list[Case]]:
    """Yield the cases of a family: one list for every tool and norm, smallest first."""
    written = list(_written(family.members(full), folder))
    for norm in family.NORMS:
        pair = norms.parse(norm)
        for tool in tools:
            if family.METHODS and tool.task.get("method") not in family.METHODS:
                continue
            if tool.norm not in (None, norm):
                continue
            yield [
                Case(
                    tool,
                    path,
                    _chain_file(folder, path),
                    _facts(tool, member, norm, path, network),
                    _refusal(tool, network, pair),
                )
                for member, path, network in written
            ]


def _written(
    members: Sequence[Member], folder: Path
) -> Iterator[tuple[Member, Path, Network]]:
    for member in members:
        if isinstance(member.model, Path):
            path = member.model
        else:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{member.name.replace(' ', '_')}.onnx"
            onnx.save(member.model, str(path))
        try:
            network = importer.load(path)
        except GeolipError as error:
            show(f"left out: {path.name}, {error}")
            continue
        _store_chain(network, _chain_file(folder, path))
        yield member, path, network


def _chain_file(folder: Path, path: Path) -> Path:
    return folder / f"{path.stem}.npz"


def _store_chain(network: Network, path: Path) -> None:
    """Write a fully connected network for tools that do not read ONNX."""
    chain = published.chain(network)
    if chain is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        matrices = {f"W{k}": W for k, W in enumerate(chain.weights, 1)}
        matrices["slopes"] = np.array([chain.lower, chain.upper])
        np.savez(path, allow_pickle=False, **matrices)


def _facts(
    tool: Tool, member: Member, norm: str, path: Path, network: Network
) -> dict[str, Any]:
    return {
        "network": member.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "neurons": network.neurons,
        "size": member.size,
        "exact": member.exact.get(norm),
        "norm": norm,
        "tool": tool.title,
        "kind": tool.kind.value,
    }


def _refusal(tool: Tool, network: Network, pair: norms.NormPair) -> str | None:
    try:
        return tool.refusal(network, pair)
    except Exception as error:
        # One tool's fault does not stop the others.
        return f"{type(error).__name__}: {error}"


def work(cases: Sequence[Case], records: Records, conditions: Conditions) -> None:
    """Run a tool's cases one after the other; what is finished is not run again."""
    finished, failed = records.finished(), ""
    for case in cases:
        record = {**conditions.facts, **case.facts}
        done = finished.get(key(record))
        if done is None:
            done = {**record, **_outcome(case, failed, conditions)}
            records.add(done)
            if "refused" not in done:
                show(_said(done))
        if conditions.grows and "failed" in done:
            failed = failed or case.facts["network"]


def _outcome(case: Case, failed: str, conditions: Conditions) -> dict[str, Any]:
    if case.refusal is not None:
        return {"refused": case.refusal}
    if failed:
        return {"failed": f"not tried, as it failed on the smaller {failed}"}
    task = {
        **case.tool.task,
        "model": str(case.path),
        "chain": str(case.chain),
        "norm": case.facts["norm"],
        "time_limit": conditions.time_limit,
        "memory_limit": conditions.memory_limit,
    }
    knows = case.tool.kind in (Kind.CERTIFY, Kind.METHOD)
    limit = conditions.time_limit + _START + (_END if knows else 0.0)
    return processes.run(case.tool.module, task, limit, case.tool.python)


def _said(record: dict[str, Any]) -> str:
    where = "{family}, {network}, l_{norm}, {tool}: ".format_map(record)
    if "failed" in record:
        return f"{where}failed, {record['failed']}"
    return f"{where}{record['value']:.6g} {record['label']}, {record['seconds']:.2f} s"
