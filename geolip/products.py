"""Products of arrays that may be mostly zero, as those of convolutions are."""

import numpy as np
from scipy import sparse

from geolip.arrays import Array

# Sparse arithmetic pays below this share of entries that are not zero, and from so many
# entries on.
_SHARE, _LEAST = 1 / 32, 2**16
_ROWS = 32


def product(left: Array, right: Array) -> Array:
    """Return ``left right'`` for arrays (m, n) and (p, n).

    Each entry is a sum of products of float64 numbers, in some order.
    """
    if _is_sparse(left) and _is_sparse(right):
        return np.asarray(
            (sparse.csr_array(left) @ sparse.csr_array(right).T).toarray()
        )
    return np.asarray(left @ right.T)


def _is_sparse(matrix: Array) -> bool:
    if matrix.size < _LEAST:
        return False
    # Some rows tell enough.
    some = matrix[:: max(1, len(matrix) // _ROWS)]
    return int(np.count_nonzero(some)) < _SHARE * some.size
