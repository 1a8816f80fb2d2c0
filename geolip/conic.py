"""A relaxation as a standard semidefinite program, for solvers that want one.

In the multipliers y = (g, tau, d) >= 0 the program is

    minimise (g + T(tau)) / 2   subject to   M(y) = [[g I, -C], [-C', B(tau, D)]] >= 0

and its value bounds ``||C v||``. Neurons and outputs are rescaled by powers of two
first, so that the solver sees numbers near one; the variables are rescaled back with
`multipliers`.

Source: docs/theory.md section 3 (b); DGeoLIP of Wang, Prakriya and Jha for one output.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from geolip.arrays import Array
from geolip.multipliers import Multipliers
from geolip.problem import Problem
from geolip.sweep import interior_point


@dataclass(frozen=True, eq=False)
class Conic:
    """Minimise ``cost'y``, y >= 0, ``matrix y + constant`` positive semidefinite.

    Parameters
    ----------
    order : int
        Rows p of the semidefinite matrix.
    cost : array (n,)
        The objective.
    matrix : scipy sparse (p * p, n)
        Columns are the symmetric matrices of the variables, flattened.
    constant : array (p * p,)
        The constant symmetric matrix, flattened.
    problem : Problem
        Where it came from.
    scales : tuple of array (n_k,)
        The powers of two by which each block's coordinates were rescaled.
    output_scale : float
        The power of two by which the output was divided.
    """

    order: int
    cost: Array
    matrix: sparse.csc_array
    constant: Array
    problem: Problem
    scales: tuple[Array, ...]
    output_scale: float

    def value(self, objective: float) -> float:
        """Return the relaxation's value for an objective value of this program."""
        return objective * self.output_scale

    def multipliers(self, y: Array) -> Multipliers:
        """Return the multipliers that the variables stand for."""
        sizes = self.problem.network.sizes
        tied = self.problem.norm.tied(sizes[0])
        split = 1 + tied.shape[1]
        tau = tied @ y[1:split]
        parts = np.split(y[split:], np.cumsum(sizes[1:])[:-1])
        d = (p / s**2 for p, s in zip(parts, self.scales[1:], strict=True))
        found = Multipliers(tau, tuple(d) if len(sizes) > 1 else ())
        return found.scaled(self.output_scale)


def conic(problem: Problem) -> Conic:
    """Return the problem as a standard program; forms matrices, for small networks."""
    network = problem.network
    scales = _scales(problem)
    outputs = [s[:, None] * c for s, c in zip(scales, problem.output(), strict=True)]
    C = np.concatenate(outputs).T
    output_scale = float(_powers_of_two(np.asarray(np.linalg.norm(C))))
    m, size = C.shape
    order = m + size
    corner = sparse.coo_array(np.diag([1.0] * m + [0.0] * size))
    tied = problem.norm.tied(network.input_size)
    columns = [corner, *(_diagonal(column, m, order) for column in tied.T)]
    offsets = np.cumsum([m, *network.sizes])
    for k, block in enumerate(network.blocks, 1):
        W = np.zeros((block.size, size))
        for j, A in block.preactivation.terms.items():
            place = slice(offsets[j] - m, offsets[j + 1] - m)
            W[:, place] = A.dense() * scales[j] / scales[k][:, None]
        select = sparse.eye_array(block.size, order, k=int(offsets[k]), format="csr")
        reads = sparse.csr_array(np.pad(W, [(0, 0), (m, 0)]))
        low = sparse.diags_array(block.lower, shape=(block.size,) * 2)
        high = sparse.diags_array(block.upper, shape=(block.size,) * 2)
        below = sparse.csr_array(select - low @ reads)
        above = sparse.csr_array(select - high @ reads)
        for i in range(block.size):
            product = below[[i]].T @ above[[i]]
            columns.append(sparse.coo_array(product + product.T))
    constant = np.zeros((order, order))
    constant[:m, m:] = -C / output_scale
    constant[m:, :m] = constant[:m, m:].T
    ties = np.array([problem.norm.budget(column) for column in tied.T])
    neurons = size - network.input_size
    return Conic(
        order=order,
        cost=np.concatenate([[0.5], 0.5 * ties, np.zeros(neurons)]),
        matrix=_flattened(columns, order),
        constant=constant.ravel(),
        problem=problem,
        scales=scales,
        output_scale=output_scale,
    )


def _diagonal(entries: Array, offset: int, order: int) -> sparse.coo_array:
    (index,) = np.nonzero(entries)
    place = (index + offset, index + offset)
    return sparse.coo_array((entries[index], place), shape=(order, order))


def _flattened(columns: list[sparse.coo_array], order: int) -> sparse.csc_array:
    rows, places, values = [], [], []
    for number, column in enumerate(columns):
        row, col = column.coords
        rows.append(row.astype(np.int64) * order + col)
        places.append(np.full(column.nnz, number))
        values.append(column.data)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(places)))
    return sparse.csc_array(entries, shape=(order * order, len(columns)))


def _scales(problem: Problem) -> tuple[Array, ...]:
    """Return powers of two that make the interior point's multipliers about one.

    The solution's multipliers are then of the size of the objective, too: measured, SCS
    needs up to seventy times fewer iterations than with coordinates scaled to their
    size.
    """
    interior = interior_point(problem)
    per_input = interior.scaled(1.0 / float(interior.tau.mean()))
    neurons = (_powers_of_two(1.0 / np.sqrt(d)) for d in per_input.d)
    return (np.ones(problem.network.input_size), *neurons)


def _powers_of_two(values: Array) -> Array:
    return np.ldexp(1.0, np.frexp(values)[1])
