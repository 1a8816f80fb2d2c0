"""SeqLip: a chain cut within its matrices, into factors of one layer of neurons each.

With ``W_k = B_k A_k``, the halves of its singular value decomposition with a root of
the singular values each, a chain's Jacobian is the product of

    A_{k+1} D_k B_k,      k = 1 .. L-1,      B_1 = W_1,  A_L = W_L,

and its l_2 norm is at most the product of theirs, each maximised on its own: two layers
with the slopes D_k between.

The decomposition is computed, so that ``W_k = B_k A_k + E_k``. If f bounds the product
for the matrices B_k A_k, then the chain's own constant is at most

    f + s (prod_k (w_k + 2 e_k) - prod_k (w_k + e_k))

where w_k and e_k bound the norms of W_k and E_k, and s the product of the slopes.

Source: Virmaux and Scaman (NeurIPS 2018), section 4; the remainder is ours.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geolip.arrays import Array
from geolip.bounds.matrix_norm import absolute_norm, matrix_norm
from geolip.linear import Dense, LinearOperator
from geolip.norms import NORMS, NormPair
from geolip.rigor.rounding import UNIT
from geolip.sectors import LinearMap, SectorBlock, SectorNetwork

EUCLIDEAN = NormPair(NORMS["2"], NORMS["2"])


@np.errstate(over="ignore")
def factors(network: SectorNetwork) -> tuple[list[SectorNetwork], float]:
    """Return networks of one layer, and what to add to the product of their constants.

    Parameters
    ----------
    network : SectorNetwork
        A chain with a layer of neurons, none of them dead.

    Returns
    -------
    (list of SectorNetwork, float)
        One network for each layer, and an upper bound of the remainder in l_2.
    """
    maps = [next(iter(reading.terms.values())) for reading in network.readings]
    pieces = [_pieces(A, whole=k in (0, len(maps) - 1)) for k, A in enumerate(maps)]
    pairs = zip(network.blocks, pairwise(pieces), strict=True)
    networks = [_layer(one.inner, block, two.outer) for block, (one, two) in pairs]
    # As logarithms; the last factor is for their rounding.
    steepest = (np.maximum(np.abs(b.lower), np.abs(b.upper)) for b in network.blocks)
    size = sum(float(np.log(slopes.max())) for slopes in steepest)
    size += sum(math.log(piece.length + piece.missed) for piece in pieces)
    growth = sum(math.log1p(piece.missed / piece.length) for piece in pieces)
    remainder = float(np.exp(size)) * math.expm1(growth) * (1 + 1e-9)
    return networks, math.inf if math.isnan(remainder) else remainder


@dataclass(frozen=True, eq=False)
class _Pieces:
    """A matrix as ``inner outer + E``, with ``length`` above its norm w, ``missed`` e.

    One of the two stands for the identity beside it where the matrix is not cut.
    """

    inner: Array
    outer: Array
    length: float
    missed: float


def _pieces(operator: LinearOperator, *, whole: bool) -> _Pieces:
    W = operator.dense()
    length = matrix_norm(W, EUCLIDEAN)
    missed = 2 * operator.roundings * UNIT
    missed *= absolute_norm(operator.absolute.dense(), EUCLIDEAN)
    if whole:
        return _Pieces(W, W, length, missed)
    U, singular, V = np.linalg.svd(W, full_matrices=False)
    roots = np.sqrt(singular)
    B, A = U * roots, roots[:, None] * V
    sizes = absolute_norm(B, EUCLIDEAN) * absolute_norm(A, EUCLIDEAN)
    rounded = (len(A) + 4) * UNIT * (sizes + absolute_norm(W, EUCLIDEAN))
    missed += matrix_norm(W - B @ A, EUCLIDEAN) + 2 * rounded
    return _Pieces(B, A, length, missed)


def _layer(B: Array, block: SectorBlock, A: Array) -> SectorNetwork:
    hidden = SectorBlock(LinearMap(len(B), {0: Dense(B)}), block.lower, block.upper)
    return SectorNetwork(B.shape[1], (hidden,), LinearMap(len(A), {1: Dense(A)}))
