"""Definiteness and norms of small matrices of fractions, for the second checker."""

import math
from fractions import Fraction
from operator import mul


def semidefinite(M, definite=0):
    """Eliminate in M to decide if it is semidefinite, the first rows definite."""
    for k, row in enumerate(M):
        if row[k] < 0 or (row[k] == 0 and (k < definite or any(row[k + 1 :]))):
            return False
        for i in range(k + 1, len(M)):
            # A pivot of zero leaves nothing else in its row.
            factor = row[i] and row[i] / row[k]
            for j in range(i, len(M) if factor else i):
                M[i][j] -= factor * row[j]
    return True


def norm(A, given, measured):
    """Return an upper bound of a matrix's norm, rounded up in the twentieth digit."""
    rows, columns = (
        [[*map(abs, row)] for row in some] for some in (A, [*zip(*A, strict=True)])
    )
    if given == "inf":
        sums = [*map(sum, rows)]
        by_norm = {"1": sum(sums), "2": _length(sums), "inf": max(sums)}
        return by_norm[measured]
    if given == "1":
        own = {"1": sum, "2": _length, "inf": max}[measured]
        return max(map(own, columns))
    if measured == "inf":
        return max(map(_length, rows))
    if measured == "1":
        return min(_length([*map(sum, columns)]), _root(len(A)) * norm(A, "2", "2"))
    A = A if len(A) < len(A[0]) else [*zip(*A, strict=True)]
    gram = [[sum(map(mul, row, other)) for other in A] for row in A]
    diagonal = [row[k] for k, row in enumerate(gram)]
    low, high = max(diagonal), sum(diagonal)
    for _ in range(70):
        middle = (low + high) / 2
        rest = [[-x for x in row] for row in gram]
        for k, x in enumerate(diagonal):
            rest[k][k] = middle - x
        low, high = (low, middle) if semidefinite(rest) else (middle, high)
    return _root(high)


def _length(row):
    return _root(sum(map(mul, row, row)))


def _root(x):
    """Return the square root of a fraction, rounded up."""
    digits, x = 2**120, Fraction(x)
    root = math.isqrt(x.numerator * x.denominator * digits**2) + 1
    return Fraction(root, x.denominator * digits)
