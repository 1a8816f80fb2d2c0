"""The trusted float arithmetic against exact rationals, and on a strange processor."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from exact_operators import exact
from exact_truth import is_positive_definite
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip.blocks import BlockFactor, BlockMatrix
from geolip.rigor.definite import (
    a_priori,
    least_eigenvalue,
    residual,
)
from geolip.rigor.residual import _unit, precise_residual
from geolip.rigor.rounding import UNIT, check_processor, up

seeds = st.integers(0, 2**32 - 1)


def near_singular(random: np.random.Generator) -> BlockMatrix:
    """Return a matrix of one to three blocks whose least eigenvalue is about zero."""
    sizes = tuple(int(n) for n in random.integers(1, 4, random.integers(1, 4)))
    n = sum(sizes)
    Q, _ = np.linalg.qr(random.standard_normal((n, n)))
    values = 10.0 ** random.uniform(-3, 0, n)
    values[0] = random.choice([-1, 1]) * 10.0 ** random.uniform(-17, -6)
    A = (Q * values) @ Q.T
    A = (A + A.T) / 2 * random.choice([1.0, 0.5])
    cuts = np.cumsum([0, *sizes])
    blocks = {
        (i, j): A[cuts[i] : cuts[i + 1], cuts[j] : cuts[j + 1]].copy()
        for i in range(len(sizes))
        for j in range(i + 1)
    }
    return BlockMatrix(sizes, blocks)


def rational(matrix: BlockMatrix) -> np.ndarray:
    cuts = np.cumsum([0, *matrix.sizes])
    full = exact(np.zeros((cuts[-1],) * 2))
    for (i, j), block in matrix.blocks.items():
        part = exact(np.diag(block) if block.ndim == 1 else block)
        full[cuts[i] : cuts[i + 1], cuts[j] : cuts[j + 1]] = part
        full[cuts[j] : cuts[j + 1], cuts[i] : cuts[i + 1]] = part.T
    return full


def is_at_least(matrix: BlockMatrix, least: float) -> bool:
    """Decide exactly whether all eigenvalues are above ``least``."""
    full = rational(matrix)
    return is_positive_definite(full - Fraction(least) * np.eye(len(full), dtype=int))


def check_near_singular(count: int) -> int:
    """Hold both tests against the truth; return how often each showed something."""
    shown = seconds = 0
    for seed in range(count):
        random = np.random.default_rng(seed)
        matrix = near_singular(random)
        shifts = 10.0 ** random.uniform(-15, -6, 3)
        least, factor = least_eigenvalue(matrix, sorted(shifts, reverse=True))
        if factor is None:
            continue
        shown += 1
        assert is_at_least(matrix, least * (1 - 1e-9)), seed
        for shift in shifts:
            try:
                second = matrix.shifted(shift).factor()
            except np.linalg.LinAlgError:
                continue
            bound = a_priori(matrix, shift, second)
            assert bound <= 0 or is_at_least(matrix, bound * (1 - 1e-9)), seed
            seconds += bound > 0
    return min(shown, seconds)


def test_no_eigenvalue_is_below_its_bound():
    assert check_near_singular(1500) > 300


@pytest.mark.slow
def test_no_eigenvalue_of_many_is_below_its_bound():
    assert check_near_singular(100_000) > 20_000


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_a_wrong_factor_does_no_harm(seed):
    """As a faulty library might return it: the bound holds or there is none."""
    random = np.random.default_rng(seed)
    matrix = near_singular(random)
    shift = 10.0 ** random.uniform(-14, -6)
    try:
        factor = matrix.shifted(shift).factor()
    except np.linalg.LinAlgError:
        return
    blocks = {place: block.copy() for place, block in factor.factors.items()}
    place = list(blocks)[random.integers(len(blocks))]
    spoiled = blocks[place]
    spoiled.flat[random.integers(spoiled.size)] += 10.0 ** random.uniform(-16, 0)
    wrong = BlockFactor(factor.sizes, factor.order, blocks)
    least = shift - residual(matrix.shifted(shift), wrong) - 8 * UNIT
    assert least <= 0 or is_at_least(matrix, least)


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_the_precise_residual_is_as_precise_as_it_says(seed):
    random = np.random.default_rng(seed)
    matrix = near_singular(random)
    scale = 10.0 ** random.uniform(-6, 6)
    columns = int(random.integers(1, 3))
    cuts = np.cumsum(matrix.sizes)[:-1]
    n = sum(matrix.sizes)
    X = np.split(scale * random.standard_normal((n, columns)), cuts)
    C = [p + 1e-9 * random.standard_normal(p.shape) for p in matrix.apply(X)]
    sums = matrix.absolute().apply([np.ones((k, 1)) for k in matrix.sizes])
    reach = 1.01 * max(float(part.max()) for part in sums)
    result, error = precise_residual(matrix, C, X, reach)
    truth = exact(np.concatenate(C)) - rational(matrix) @ exact(np.concatenate(X))
    missed = abs(exact(np.concatenate(result)) - truth)
    assert missed.max() <= Fraction(error)
    assert error <= 1e-20 * scale + 1e-23


@pytest.mark.parametrize("seed", range(30))
def test_the_precise_residual_covers_what_is_left_of_leading_parts(seed):
    """Where C' is the product of the leading parts, so that nothing else is known."""
    random = np.random.default_rng(seed)
    matrix = near_singular(random)
    X = [random.standard_normal((n, 2)) for n in matrix.sizes]
    sums = matrix.absolute().apply([np.ones((k, 1)) for k in matrix.sizes])
    reach = 1.01 * max(float(part.max()) for part in sums)
    step = _unit(max(float(np.abs(x).max()) for x in X))
    leading, _ = matrix.split(_unit(reach))
    C = leading.apply([np.rint(x / step) * step for x in X])
    result, error = precise_residual(matrix, C, X, reach)
    truth = exact(np.concatenate(C)) - rational(matrix) @ exact(np.concatenate(X))
    missed = abs(exact(np.concatenate(result)) - truth)
    assert missed.max() <= Fraction(error)
    assert error <= 1e-20


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=30))
def test_up_covers_sums(numbers):
    total = 0.0
    for number in numbers:
        total += number
    assert Fraction(up(total, len(numbers))) >= sum(map(Fraction, numbers))


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 1000])
def test_up_covers_sums_whose_roundings_all_go_down(count):
    """Each of the small numbers is lost where it is added."""
    total = 1.0
    for _ in range(count):
        total += UNIT
    assert total == 1.0
    assert Fraction(up(total, count)) >= 1 + count * Fraction(UNIT)


def test_this_processor_is_fine():
    check_processor()


# Machine code that loads the control register of the x86 vector unit from memory.
_STRANGE = """
import ctypes, mmap, sys
import geolip
from geolip.errors import CertificationError
from geolip.rigor.rounding import check_processor
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes([0x0F, 0xAE, 0x17, 0xC3]))  # ldmxcsr [rdi]; ret
address = ctypes.addressof(ctypes.c_char.from_buffer(code))
load = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)
control = ctypes.c_uint32(int(sys.argv[1], 16))
load(ctypes.addressof(control))
try:
    check_processor()
except CertificationError as error:
    found = str(error)
else:
    found = "fine"
load(ctypes.addressof(ctypes.c_uint32(0x1F80)))
print(found)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or "x86_64" not in __import__("platform").machine(),
    reason="needs the control register of x86",
)
@pytest.mark.parametrize(
    ("control", "word"),
    [
        ("1f80", "fine"),
        ("9f80", "flushes"),
        ("1fc0", "flushes"),
        ("3f80", "round"),
        ("5f80", "round"),
        ("7f80", "round"),
    ],
)
def test_strange_processor_modes_are_noticed(control, word):
    """Flush to zero, denormals as zero, and the three other rounding modes."""
    command = [sys.executable, "-c", _STRANGE, control]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert word in done.stdout


@pytest.mark.parametrize("seed", range(40))
def test_wrong_factors_of_a_library_prove_nothing_false(seed, monkeypatch):
    """One entry of the factor is wrong, or it is that of another matrix."""
    random = np.random.default_rng(seed)
    matrix = near_singular(random)
    real = BlockMatrix.factor

    def spoiled(self):
        factor = real(self)
        place = list(factor.factors)[random.integers(len(factor.factors))]
        factor.factors[place].flat[0] *= 1 + 10.0 ** random.uniform(-9, -1)
        return factor

    def another(self):
        blocks = {(k, k): np.ones(n) for k, n in enumerate(self.sizes)}
        return BlockFactor(self.sizes, tuple(range(len(self.sizes))), blocks)

    for wrong in (spoiled, another):
        monkeypatch.setattr(BlockMatrix, "factor", wrong)
        least, factor = least_eigenvalue(matrix, (1e-4, 1e-6, 1e-8))
        monkeypatch.setattr(BlockMatrix, "factor", real)
        assert factor is None or is_at_least(matrix, least)


@pytest.mark.parametrize("seed", range(30))
def test_the_residual_covers_its_own_rounding(seed):
    """Of the rounded product L L' itself, from which nothing seems to be missing."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 6))
    L = np.tril(random.standard_normal((n, n)))
    matrix = BlockMatrix((n,), {(0, 0): L @ L.T})
    factor = BlockFactor((n,), (0,), {(0, 0): L})
    missed = abs(exact(L @ L.T) - exact(L) @ exact(L).T)
    assert Fraction(residual(matrix, factor)) >= missed.sum(axis=1).max() > 0
