"""Exact rational linear algebra, slow and obviously right, to hold results against."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from exact_operators import Matrix, exact, operator_matrix

from geolip.exact.fixed import BITS, Fixed
from geolip.multipliers import Multipliers
from geolip.sectors import SectorNetwork


def value(matrix: Fixed) -> Matrix:
    """Return what the digits of fixed-point numbers stand for."""
    units = (Fraction(1, 2 ** (BITS * (k + 1))) for k in range(len(matrix.digits)))
    return sum(exact(d) * unit for d, unit in zip(matrix.digits, units, strict=True))


def is_positive_definite(matrix: Matrix) -> bool:
    """Decide by elimination in fractions."""
    rest = matrix.copy()
    for k in range(len(rest)):
        if rest[k, k] <= 0:
            return False
        row = rest[k, k + 1 :] / rest[k, k]
        rest[k + 1 :, k + 1 :] = rest[k + 1 :, k + 1 :] - np.outer(
            rest[k + 1 :, k], row
        )
    return True


def solve(matrix: Matrix, right: Matrix) -> Matrix:
    """Solve by Gauss and Jordan without pivoting, for positive definite matrices."""
    work = np.concatenate([matrix, right], axis=1)
    for k in range(len(work)):
        work[k] = work[k] / work[k, k]
        for i in range(len(work)):
            if i != k:
                work[i] = work[i] - work[i, k] * work[k]
    return work[:, len(matrix) :]


def slack_and_output(
    network: SectorNetwork, multipliers: Multipliers
) -> tuple[Matrix, Matrix]:
    """Return B(tau, D) and C' neuron by neuron, as the theorem states them."""
    offsets = np.cumsum([0, *network.sizes])

    def row_space(terms, size: int) -> Matrix:
        W = exact(np.zeros((size, offsets[-1])))
        for j, A in terms.items():
            W[:, offsets[j] : offsets[j + 1]] = operator_matrix(A)
        return W

    B = exact(np.zeros((offsets[-1],) * 2))
    B[: offsets[1], : offsets[1]] = np.diag(exact(multipliers.tau))
    for k, block in enumerate(network.blocks, 1):
        W = row_space(block.preactivation.terms, block.size)
        for i in range(block.size):
            a, b = Fraction(float(block.lower[i])), Fraction(float(block.upper[i]))
            d = Fraction(float(multipliers.d[k - 1][i]))
            e = exact(np.zeros(offsets[-1]))
            e[offsets[k] + i] = Fraction(1)
            p, q = e - a * W[i], e - b * W[i]
            B = B + d * (np.outer(p, q) + np.outer(q, p))
    return B, row_space(network.output.terms, network.output.size).T


def budget(norm: str, tau: Sequence[float]) -> Fraction:
    """Return T(tau)."""
    numbers = [Fraction(float(t)) for t in tau]
    return sum(numbers) if norm == "inf" else max(numbers)
