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
    if given == "inf":
        sums = [sum(map(abs, row)) for row in A]
        return max(sums) if measured == "inf" else _root(sum(map(mul, sums, sums)))
    A = A if len(A) < len(A[0]) or measured == "inf" else [*zip(*A, strict=True)]
    gram = [[sum(map(mul, row, other)) for other in A] for row in A]
    diagonal = [row[k] for k, row in enumerate(gram)]
    if measured == "inf":
        return _root(max(diagonal))
    low, high = max(diagonal), sum(diagonal)
    for _ in range(70):
        middle = (low + high) / 2
        rest = [[-x for x in row] for row in gram]
        for k, x in enumerate(diagonal):
            rest[k][k] = middle - x
        low, high = (low, middle) if semidefinite(rest) else (middle, high)
    return _root(high)


def _root(x):
    """Return the square root of a fraction, rounded up."""
    digits = 2**120
    root = math.isqrt(x.numerator * x.denominator * digits**2) + 1
    return Fraction(root, x.denominator * digits)
