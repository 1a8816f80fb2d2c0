"""Upper bounds of the spectral norm of convolutions too large to be written out.

A zero-padded convolution is part of one on a torus: embed the input in zeros, convolve
periodically, keep some outputs. If the torus has N >= outputs + taps - 1 places nothing
meets itself around it, and neither step is longer than its input. The discrete Fourier
transform makes the convolution on the torus a matrix for each frequency, channels by
channels, so that its norm is the largest of theirs: of finitely many.

A stride s is undone first (polyphase): input place ``s q + r`` is place q of channel
(c, r), and a tap at ``s a + b`` is tap a from channel (c, b), with stride one.

Every step is bounded with its rounding: the symbols by the sizes of the taps that are
added up, and the largest eigenvalue of each Gram matrix G by

    ||G|| <= max|w| ||V||^2 + ||G - V diag(w) V'||,      ||V||^2 <= 1 + ||V'V - I||

for any numbers V and w: the library that decomposes is not trusted.

Source: Sedghi, Gupta and Long (ICLR 2019) for the torus; that padding makes it a bound
and the polyphase form are standard.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import frexp, inf, ldexp, nextafter, prod, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.linear import Convolution
from geolip.rigor.rounding import UNIT

Symbols: TypeAlias = NDArray[np.complex128]

# More than what underflows.
_TINY = 2.0**-400
# So many numbers the symbols of one batch of frequencies have, about.
_BATCH = 2**20
# So many multiplications take a minute.
_WORK = 1e11


@lru_cache(maxsize=1024)
def convolution_norm(operator: Convolution) -> float:
    """Return an upper bound of the largest singular value, infinite if it takes long.

    Parameters
    ----------
    operator : Convolution
        In any dimension, with any strides, dilations, padding and groups.
    """
    largest = float(np.abs(operator.kernel).max(initial=0.0))
    if largest == 0.0 or not prod(operator.shape):
        return 0.0
    reach = np.multiply(operator.dilations, np.array(operator.taps) - 1)
    torus = [int(n) for n in operator.out_space + reach // operator.strides]
    c_out, c_in = (c // operator.groups for c in operator.channels)
    columns = c_in * prod(operator.strides)
    work = operator.groups * prod(torus) * c_out * columns * min(c_out, columns)
    if work > _WORK:
        return inf
    # By a power of two, so that squares stay in float64's range.
    unit = ldexp(1.0, min(-frexp(largest)[1], 1000))
    # What adding up the taps, times roots of unity, may be off by.
    roundings = 8 * prod(operator.taps) + 64 * (len(torus) + 1) + operator.rounded
    bound = 0.0
    try:
        for kernel in np.split(unit * operator.kernel, operator.groups):
            taps = kernel.reshape(*kernel.shape[:2], -1)
            off = 2 * roundings * UNIT * float(np.linalg.norm(np.abs(taps).sum(axis=2)))
            for symbols in _symbols(taps, operator, torus):
                bound = max(bound, _largest_singular_value(symbols) + off)
    except np.linalg.LinAlgError:
        return inf
    return nextafter(bound * (1 + 16 * UNIT) / unit, inf)


def _symbols(
    taps: Array, operator: Convolution, torus: Sequence[int]
) -> Iterator[Symbols]:
    """Yield the matrices (f, c_out, c_in * phases) of all frequencies.

    But of one of each pair that is complex conjugate.
    """
    c_out, c_in, count = taps.shape
    places = np.array(list(product(*map(range, operator.taps))))
    shifts, phases = np.divmod(places * operator.dilations, operator.strides)
    _, phase = np.unique(phases, axis=0, return_inverse=True)
    phase = phase.reshape(count)
    frequencies = np.indices(torus).reshape(len(torus), -1).T
    opposite = np.ravel_multi_index(tuple((-frequencies % torus).T), torus)
    frequencies = frequencies[np.arange(len(frequencies)) <= opposite]
    step = 1 + _BATCH // (c_out * c_in * (1 + int(phase.max())))
    for start in range(0, len(frequencies), step):
        some = frequencies[start : start + step, None]
        # Integers are exact; what is left of a turn is at most one an axis.
        turns = (some * shifts % torus / torus).sum(axis=2)
        roots = np.exp(2j * np.pi * turns)
        parts = [
            np.tensordot(roots[:, phase == b], taps[:, :, phase == b], axes=(1, 2))
            for b in range(1 + int(phase.max()))
        ]
        yield np.concatenate(parts, axis=2)


def _largest_singular_value(symbols: Symbols) -> float:
    """Return an upper bound of the norms of matrices (f, m, n), taken as they are."""
    if symbols.shape[1] > symbols.shape[2]:
        symbols = symbols.transpose(0, 2, 1)
    doubt = 8 * (sum(symbols.shape[1:]) + 8) * UNIT
    gram = symbols @ _adjoint(symbols)
    w, V = np.linalg.eigh(gram)
    size = np.abs(w).max(axis=1)
    length = _square_length(V)
    rest = np.sqrt(_square_length(gram - (V * w[:, None]) @ _adjoint(V)))
    rest += doubt * (size * length + np.sqrt(_square_length(gram)))
    skew = np.sqrt(_square_length(_adjoint(V) @ V - np.eye(V.shape[1])))
    skew += doubt * (length + V.shape[1])
    squares = size * (1 + skew) + rest + doubt * _square_length(symbols)
    largest = float(squares.max()) * (1 + 4 * symbols[0].size * UNIT)
    # NaN fails.
    return sqrt(largest) + _TINY if largest < inf else inf


def _square_length(matrices: Symbols) -> Array:
    """Return the squares of the matrices' Frobenius norms."""
    return np.asarray((matrices.real**2 + matrices.imag**2).sum(axis=(1, 2)))


def _adjoint(matrices: Symbols) -> Symbols:
    return matrices.conj().transpose(0, 2, 1)
