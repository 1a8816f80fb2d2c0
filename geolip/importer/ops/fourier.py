"""The discrete Fourier transform, a matrix of cosines and sines.

A complex number is a pair of entries on the last axis; of real numbers there is one
entry. An angle is brought to between 0 and 1/8 of a turn in fractions. There it is off
by three roundings, its cosine and its sine relatively by no more, and what the library
computes of it by two.
"""

import math
from fractions import Fraction
from math import prod

import numpy as np

from geolip.arrays import Array
from geolip.importer.algebra import mapped, numbered, rearranged
from geolip.importer.growth import check_fits
from geolip.importer.interpolation import check_count
from geolip.importer.operation import Operation, Reader, Value
from geolip.importer.refusals import RefusedError
from geolip.linear import Dense

# With the division by the length, and one in hand. Quarters of a turn are exact.
_ROUNDINGS = 7
_EXACT = (1, 2, 4)


def _transform(operation: Operation) -> Value:
    """Ask for a constant length and axis, and whole spectra but of real numbers."""
    value, attributes = operation.affine(0), operation.attributes
    rank, parts = len(value.shape), value.shape[-1]
    axis = _number(operation, 2, attributes.get("axis", -2))
    if parts not in (1, 2) or not -rank <= axis < rank or axis % rank == rank - 1:
        raise ValueError(f"axis {axis} of shape {value.shape} has no complex numbers")
    given = value.shape[axis]
    length = _number(operation, 1, given)
    if length < 1:
        raise ValueError(f"its dft_length is {length}")
    inverse, half = bool(attributes["inverse"]), bool(attributes["onesided"])
    if half and (inverse or parts == 2):
        raise RefusedError(
            "takes half of a spectrum, or makes half of one of complex numbers"
        )
    count = length // 2 + 1 if half else length
    check_count(length)
    check_fits([count, 2, given, parts])
    matrix = np.zeros((count, 2, given, parts))
    # What is cut off, or added to make up the length, is not read.
    used = min(given, length)
    matrix[:, :, :used] = _waves(length, count, used, inverse)[..., :parts]
    rounded = 0 if length in _EXACT else _ROUNDINGS
    order = [*(k for k in range(rank - 1) if k != axis % rank), axis % rank, rank - 1]
    numbers = numbered([value])[0].transpose(order)
    outer = numbers.shape[:-2]
    operator = Dense(matrix.reshape(2 * count, -1), prod(outer), rounded=rounded)
    found = mapped(rearranged([value], numbers), operator, (*outer, count, 2))
    back = numbered([found])[0].transpose(np.argsort(order))
    return rearranged([found], back)


def _number(operation: Operation, position: int, absent: int) -> int:
    if not operation.has(position):
        return absent
    (number,) = operation.integers(position)
    return number


def _waves(length: int, count: int, given: int, inverse: bool) -> Array:
    """Return what each part of each result reads of each part of each entry."""
    turns = [Fraction(k, length) for k in range(length)]
    places = np.outer(np.arange(count), np.arange(given)) % length
    cosines = np.array([cosine(turn) for turn in turns])[places]
    sines = np.array([cosine(turn - Fraction(1, 4)) for turn in turns])[places]
    sines = -sines if inverse else sines
    waves = np.stack([cosines, sines, -sines, cosines], axis=-1)
    matrix = waves.reshape(count, given, 2, 2).transpose(0, 2, 1, 3)
    return matrix / length if inverse else matrix


def cosine(turn: Fraction) -> float:
    """Return the cosine of an angle in turns, off by five roundings at the most."""
    turn = abs((turn + Fraction(1, 2)) % 1 - Fraction(1, 2))
    if turn > Fraction(1, 4):
        return -cosine(Fraction(1, 2) - turn)
    if turn > Fraction(1, 8):
        return math.sin(math.tau * float(Fraction(1, 4) - turn))
    return math.cos(math.tau * float(turn))


OPERATORS: dict[str, Reader] = {"DFT": _transform}
