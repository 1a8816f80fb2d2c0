"""Formulations exactly as published, one file a paper, found by listing the folder.

They are what others run: a modelling language, a general solver, and the number that
comes back. Nothing is checked or repaired, so every value is an estimate.

A module here has

``TITLE``
    what the tool is called for people,
``NORM``
    the norm of inputs and outputs that it bounds,
``FORMS``
    by name, functions of a `Chain` and CVXPY's name of a solver that return the value,
    and
``refusal(form, chain)``
    None, or one line that says why the form does not take a chain.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from geolip.linear import Dense
from geolip.network import Network

TAKES = "takes fully connected networks with a hidden layer"

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chain:
    """A fully connected network as the papers have it.

    Parameters
    ----------
    weights : list of array (n_k, n_{k-1})
        First layer first.
    lower, upper : float
        One interval for the slopes of all neurons.
    """

    weights: list[Matrix]
    lower: float
    upper: float


class Paper(Protocol):
    """The contract of a module in this folder."""

    TITLE: str
    NORM: str
    FORMS: Mapping[str, Callable[[Chain, str], float]]

    def refusal(self, form: str, chain: Chain) -> str | None:
        """Return None, or one line that says why the form does not take the chain."""


def names() -> list[str]:
    """Return the names of all papers."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name: str) -> Paper:
    """Return the paper of that name."""
    module: Any = importlib.import_module(f"{__name__}.{name}")
    paper: Paper = module
    return paper


def chain(network: Network) -> Chain | None:
    """Return a network as a chain of matrices, or None if it is not one.

    All tools of the papers take fully connected networks with a hidden layer.
    """
    differences = network.sectors()
    weights = []
    maps = [*(block.preactivation for block in differences.blocks), differences.output]
    for k, reading in enumerate(maps):
        operator = reading.terms.get(k)
        if len(reading.terms) != 1 or not isinstance(operator, Dense):
            return None
        weights.append(operator.dense())
    if len(weights) < 2:
        return None
    lower = min(float(block.lower.min()) for block in differences.blocks)
    upper = max(float(block.upper.max()) for block in differences.blocks)
    return Chain(weights, lower, upper)


def warm_up(solver: str) -> None:
    """Solve something tiny: CVXPY loads a solver at its first program."""
    x = cp.Variable(2)
    cp.Problem(cp.Minimize(cp.sum(x)), [cp.diag(x) >> np.eye(2)]).solve(solver=solver)


def solve(problem: cp.Problem, solver: str) -> float:
    """Return the value that a solver gives a program, whatever its status.

    Raises
    ------
    RuntimeError
        If it gives none.
    """
    problem.solve(solver=solver)
    if problem.value is None or not np.isfinite(problem.value):
        raise RuntimeError(f"the solver returned no value: {problem.status}")
    return float(problem.value)
