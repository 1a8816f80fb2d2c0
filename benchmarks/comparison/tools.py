"""The tools that are compared: geolip's methods, published formulations, peers."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import peers
import published
from cases import show

from geolip import backend, methods
from geolip.methods import Question
from geolip.network import Network
from geolip.norms import NormPair

_CVXPY_SOLVERS = ("clarabel", "scs", "mosek")


class Kind(Enum):
    """Where a tool is from; the value is what readers are told."""

    CERTIFY = "geolip certify"
    METHOD = "a method of geolip"
    PAPER = "formulation as published"
    PEER = "peer"


@dataclass(frozen=True)
class Tool:
    """One way to a number.

    Parameters
    ----------
    title : str
        Its name for people, unique.
    kind : Kind
        Where it is from.
    module : str
        What answers in a process of its own, see `alone`.
    task : mapping
        What the module has to know beside the network, the norm and the limits.
    norm : str or None
        The only norm that it is for; None for any.
    python : str
        The interpreter.
    """

    title: str
    kind: Kind
    module: str
    task: Mapping[str, str] = field(default_factory=dict)
    norm: str | None = None
    python: str = sys.executable

    def refusal(self, network: Network, norms: NormPair) -> str | None:
        """Return None, or one line that says why it has no answer."""
        if self.kind is Kind.METHOD:
            method = methods.get(self.task["method"])
            question = Question(network.without_head(norms.output), norms)
            return method.refusal(question)
        if self.kind is Kind.CERTIFY:
            return None
        chain = published.chain(network)
        if chain is None:
            return published.TAKES
        if self.kind is Kind.PAPER:
            return published.get(self.task["paper"]).refusal(self.task["form"], chain)
        return peers.get(self.task["peer"]).refusal(chain)


def all_tools() -> list[Tool]:
    """Return every tool that can run here; say which cannot."""
    certify = Tool("geolip certify", Kind.CERTIFY, "comparison.by_certify")
    return [certify, *_methods(), *_papers(), *_peers()]


def _methods() -> list[Tool]:
    return [
        Tool(
            methods.get(name).TITLE,
            Kind.METHOD,
            "comparison.by_method",
            {"method": name},
        )
        for name in methods.names()
    ]


def _papers() -> list[Tool]:
    found = []
    for solver in _CVXPY_SOLVERS:
        reason = backend.get(solver).usable()
        if reason is not None:
            show(f"left out: CVXPY with {solver}, {reason}")
            continue
        for name in published.names():
            paper = published.get(name)
            found += [
                Tool(
                    f"{paper.TITLE} {form} (published, {solver})",
                    Kind.PAPER,
                    "comparison.by_paper",
                    {"paper": name, "form": form, "solver": solver.upper()},
                    paper.NORM,
                )
                for form in paper.FORMS
            ]
    return found


def _peers() -> list[Tool]:
    python = peers.python()
    if python is None:
        show("left out: peers, not installed: make bench-peers")
        return []
    found = []
    for name in peers.names():
        peer = peers.get(name)
        if not peers.has(python, peer.PACKAGE):
            show(f"left out: {peer.TITLE}, {peer.PACKAGE} is not installed")
            continue
        found += [
            Tool(
                f"{peer.TITLE} {form}",
                Kind.PEER,
                f"peers.{name}",
                {"peer": name, "form": form},
                peer.NORM,
                python,
            )
            for form in peer.FORMS
        ]
    return found
