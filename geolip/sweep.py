"""One pass of block elimination from the output to the input: repair and bound in one.

Eliminating blocks from the last to the first, the Schur complement of block k depends
on its own multipliers and on those of later blocks only. So each block can be made
positive definite in turn, and what is left in the end is a small matrix pencil in which
tau can be scaled at will: one pass prices all scalings of tau.

Source: docs/theory.md section 4.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import linalg

from geolip.arrays import Array
from geolip.multipliers import Multipliers
from geolip.problem import Problem

# Schur complements keep at least this share of their own multipliers.
MARGIN = 1e-8


class Pencil(Protocol):
    """What elimination leaves: the bound as a function of the factor s of tau."""

    def form(self, s: float) -> tuple[Array, Array] | None:
        """Return the form at s and minus its derivative, both (m, m).

        The form is C B(s tau, D)^-1 C'. None if B is not positive definite.
        """


@dataclass(frozen=True, eq=False)
class InputPencil:
    """The Schur complement on the input, ``s diag(tau) - load``."""

    tau: Array
    load: Array
    outputs: Array
    done: Array

    def form(self, s: float) -> tuple[Array, Array] | None:
        """Return the form at s and minus its derivative."""
        root = _cholesky(np.diag(s * (1 - MARGIN) * self.tau) - self.load)
        if root is None:
            return None
        half = _lower_solve(root, self.outputs)
        x = _upper_solve(root, half)
        return self.done + half.T @ half, x.T @ (self.tau[:, None] * x)


@dataclass(frozen=True, eq=False)
class FirstBlockPencil:
    """The Schur complement on block 1, ``own - load / s``, input already eliminated.

    For networks whose input is read by block 1 alone, which is the smaller of the two.
    """

    own: Array
    load: Array
    outputs: Array
    done: Array

    def form(self, s: float) -> tuple[Array, Array] | None:
        """Return the form at s and minus its derivative."""
        root = _cholesky(self.own - self.load / (s * (1 - MARGIN)))
        if root is None:
            return None
        half = _lower_solve(root, self.outputs)
        y = _upper_solve(root, half)
        return self.done + half.T @ half, y.T @ self.load @ y / s**2


@dataclass(frozen=True, eq=False)
class Sweep:
    """Multipliers after a sweep, feasible for all large enough factors of tau.

    Parameters
    ----------
    problem : Problem
        The problem.
    multipliers : Multipliers
        As the sweep left them.
    pencil : Pencil
        Prices every factor of tau.
    """

    problem: Problem
    multipliers: Multipliers
    pencil: Pencil

    @np.errstate(over="ignore", invalid="ignore")
    def price(self, s: float) -> tuple[float, float]:
        """Return the bound for tau scaled by s, and a number with its slope's sign."""
        found = self.pencil.form(s)
        if found is None or not np.isfinite(found[0]).all():
            return np.inf, -1.0
        form, decline = found
        values, basis = np.linalg.eigh((form + form.T) / 2)
        direction = basis[:, -1]
        budget = self.problem.norm.budget(self.multipliers.tau)
        # T in units of what tau has in it.
        total = s + self.multipliers.triangles.budget() / budget
        slope = float(values[-1] - total * direction @ decline @ direction)
        return float(np.sqrt(total * budget * max(values[-1], 0.0))), slope

    def best(self) -> tuple[float, Multipliers]:
        """Return the least bound over all factors of tau, and its multipliers.

        As a function of s, the square of the bound is T over a concave function where
        B is positive definite, as 1/u'B^-1 u is the least v'Bv of all v with u'v = 1.
        T is affine, so the sign of its slope tells on which side of s the best lies.
        """
        least, factor = self._near(1.0)
        if not 0.2 < factor < 5.0 or not np.isfinite(least):
            least, factor = self._near(self._decade())
        return least, self.multipliers.scaled_tau(factor)

    def _near(self, centre: float) -> tuple[float, float]:
        """Return the least bound and its factor between a tenth and ten of a centre."""
        least, factor = np.inf, centre
        # Relative steps -10^-0.1 .. -10^-11, 10^-11 .. 10, numbered by their exponents.
        low, high = -11.9, 13.0
        while high - low > 0.1:
            middle = (low + high) / 2 if high - low <= 1 else np.floor((low + high) / 2)
            step = 10.0 ** (middle - 12) if middle > 0 else -(10.0 ** (-middle - 12))
            s = centre * (1 + step)
            bound, slope = self.price(s)
            if bound < least:
                least, factor = bound, s
            low, high = (middle, high) if slope < 0 else (low, middle)
        return least, factor

    def _decade(self) -> float:
        """Return the power of ten nearest to the best factor."""
        low, high = -250, 250
        while high - low > 1:
            middle = (low + high) // 2
            _, slope = self.price(10.0**middle)
            low, high = (middle, high) if slope < 0 else (low, middle)
        return 10.0**high


def interior_point(problem: Problem) -> Multipliers:
    """Return multipliers far inside the feasible set, whatever the network.

    Backward through the blocks, every multiplier is chosen twice as large as its Schur
    complement needs.
    """
    ones = tuple(np.ones(block.size) for block in problem.network.blocks)
    start = Multipliers(np.ones(problem.network.input_size), ones)
    return sweep(problem, start, margin=0.5, least=0.0).best()[1]


@np.errstate(over="ignore", invalid="ignore")
def sweep(
    problem: Problem,
    multipliers: Multipliers,
    margin: float = MARGIN,
    least: float = 1.0,
) -> Sweep:
    """Eliminate all hidden blocks, scaling multipliers where they do not suffice.

    The Schur complement of block k after elimination of the later ones is ``f S - R``,
    where S comes from block k's own multipliers and R from the later blocks; f is the
    least factor that leaves the margin. It scales the multipliers of all earlier blocks
    too, which keeps their proportions.

    Parameters
    ----------
    problem : Problem
        The problem, not trivial.
    multipliers : Multipliers
        Positive and finite.
    margin : float
        The share of S that must be left, 0 < margin < 1.
    least : float
        The smallest factor that is used.

    Raises
    ------
    numpy.linalg.LinAlgError
        If numbers overflow on the way, as multipliers of wildly different sizes do.
    """
    total, triangles = 1.0, multipliers.triangles
    parts = [np.asarray(part) for part in multipliers]
    outputs = problem.output()
    done = np.zeros((problem.network.output.size,) * 2)
    load: dict[tuple[int, int], Array] = {}
    for k in range(len(parts) - 1, 0, -1):
        carried = load.pop((k, k), None)
        factor = _factor(2.0 * total * parts[k], carried, margin, least)
        total *= factor
        parts[k] = total * parts[k]
        pivot = np.diag(2.0 * parts[k])
        if carried is not None:
            pivot += carried
        terms = problem.terms(k, parts[k])
        for place in [place for place in terms if place[0] < k]:
            _accumulate(load, place, terms.pop(place))
        for place in [place for place in load if place[0] == k]:
            _accumulate(terms, place, load.pop(place))
        read_once = k == 1 and not load and not triangles
        if read_once and parts[1].size < parts[0].size:
            tau = total * parts[0]
            cross = terms[1, 0]
            small = FirstBlockPencil(pivot, (cross / tau) @ cross.T, outputs[1], done)
            if not outputs[0].any():
                return Sweep(problem, Multipliers(tau, tuple(parts[1:])), small)
        root = _cholesky(pivot)
        if root is None:
            raise np.linalg.LinAlgError("a Schur complement lost its margin")
        half = _lower_solve(root, outputs[k])
        done = done + half.T @ half
        columns = {j: _lower_solve(root, block) for (_, j), block in terms.items()}
        for i, left in columns.items():
            outputs[i] = outputs[i] - left.T @ half
            for j, right in columns.items():
                if j <= i:
                    _accumulate(load, (i, j), -left.T @ right)
    tau, triangles = total * parts[0], triangles.scaled(total)
    if triangles:
        _accumulate(load, (0, 0), triangles.matrix())
    nothing = np.zeros((len(tau), len(tau)))
    pencil = InputPencil(tau, -load.get((0, 0), nothing), outputs[0], done)
    return Sweep(problem, Multipliers(tau, tuple(parts[1:]), triangles), pencil)


def _accumulate(
    blocks: dict[tuple[int, int], Array], place: tuple[int, int], block: Array
) -> None:
    blocks[place] = blocks[place] + block if place in blocks else block


def _factor(own: Array, carried: Array | None, margin: float, least: float) -> float:
    """Return about the least factor of ``own`` that keeps the margin."""
    if carried is None or not own.size:
        return 1.0
    if not np.isfinite(carried).all():
        raise np.linalg.LinAlgError("the multipliers differ too much in size")
    if least < 1.0:
        return max(least, _largest_ratio(-carried, own) / (1.0 - margin)) or 1.0

    def suffices(step: float) -> bool:
        kept = np.diag((1.0 + step) * (1.0 - margin) * own)
        return _cholesky(kept + carried) is not None

    if suffices(0.0):
        return 1.0
    # Bisection over 1 + 10^-9 .. 1 + 10^12: cheaper than eigenvalues.
    low, high = -9.0, 12.0
    while high - low > 0.25:
        middle = (low + high) / 2
        low, high = (low, middle) if suffices(10.0**middle) else (middle, high)
    return float(1.0 + 10.0**high)


def _largest_ratio(load: Array, own: Array) -> float:
    """Return a bound of the largest eigenvalue of ``own^-1/2 load own^-1/2``."""
    root = 1.0 / np.sqrt(own)
    scaled = root[:, None] * load * root
    if own.size < 500:
        return float(linalg.eigvalsh(scaled)[-1])
    return float(np.abs(scaled).sum(axis=1).max())


def _cholesky(matrix: Array) -> Array | None:
    """Return the lower factor, None if the matrix is not positive definite."""
    if not np.isfinite(matrix).all():
        return None
    try:
        # The transpose is in the order that LAPACK wants: no copy to turn it round.
        return np.asarray(linalg.cholesky(matrix.T, check_finite=False)).T
    except np.linalg.LinAlgError:
        return None


def _lower_solve(root: Array, right: Array) -> Array:
    solved = linalg.solve_triangular(root, right, lower=True, check_finite=False)
    return np.asarray(solved)


def _upper_solve(root: Array, right: Array) -> Array:
    solved = linalg.solve_triangular(
        root, right, lower=True, trans="T", check_finite=False
    )
    return np.asarray(solved)
