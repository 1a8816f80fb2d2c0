"""What multipliers and norms prove, in fractions, for the second checker.

Source: docs/theory.md sections 3 and 4.
"""

from fractions import Fraction
from itertools import product

from independent_algebra import norm, semidefinite
from independent_network import need


def needed(rows, outputs, inputs):
    """Return the rows of the coordinates that move and are read, and the outputs'."""
    moving = {}

    def cut(row):
        return {j: value for j, value in row.items() if j in moving}

    for c, row in enumerate(rows):
        if c in inputs or cut(row):
            moving[c] = cut(row)
    outputs = [cut(row) for row in outputs]
    read = set().union(*outputs)
    for c in sorted(moving, reverse=True):
        read |= moving[c].keys() if c in read else set()
    return {c: row for c, row in moving.items() if c in read}, outputs


def proved(rows, outputs, sectors, dual, given, bound):
    """Decide whether multipliers prove a bound.

    With B positive definite, ``bound^2 I - T C B^-1 C'`` is positive semidefinite if
    and only if ``[[B, C'], [C, bound^2 / T I]]`` is.
    """
    multipliers, triangles = dual
    tau = [multipliers[c] for c in rows if c not in sectors]
    budget = sum(tau) if given == "inf" else max(tau, default=0)
    need(budget > 0, "no tau")
    budget += 2 * sum(weight for weight, _ in triangles)
    M = [[Fraction(0)] * (len(rows) + len(outputs)) for _ in [*rows, *outputs]]
    place = {c: k for k, c in enumerate(rows)}
    for c, k in place.items():
        if c not in sectors:
            M[k][k] += multipliers[c]
            continue
        # d [(e - a w)(e - b w)' + transposed]
        (a, b), row = sectors[c], rows[c].items()
        left, right = ([(k, 1), *((place[j], -s * w) for j, w in row)] for s in (a, b))
        for (i, x), (j, y) in product(left, right):
            M[i][j] += multipliers[c] * x * y
            M[j][i] += multipliers[c] * x * y
    for weight, b in triangles:
        for i, j in product(b, repeat=2):
            M[place[i]][place[j]] -= weight * b[i] * b[j] if i != j else 0
    for k, row in enumerate(outputs, len(rows)):
        M[k][k] = bound**2 / budget
        for j, value in row.items():
            M[k][place[j]] = M[place[j]][k] = value
    return semidefinite(M, definite=len(rows))


def norm_product(network, rows, outputs, given, measured):
    """Return the layers' norms multiplied, and added where paths meet."""
    constants = [Fraction(1)]

    def reach(some, measure):
        total = Fraction(0)
        for constant, layer in zip(constants, network.layers, strict=False):
            part = [[row.get(c, Fraction(0)) for c in layer] for row in some]
            total += constant * norm(part, given, measure) if any(map(any, part)) else 0
        return total

    for layer in network.layers[1:]:
        slope = max(map(abs, network.sectors[layer[0]]))
        some = [rows[c] for c in layer if c in rows]
        constants.append(slope * reach(some, given))
    return reach(outputs, measured)
