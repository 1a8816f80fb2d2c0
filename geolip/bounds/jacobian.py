"""The norm of a Jacobian with given slopes, from below.

Source: Boyd's power method for mixed norms (Linear Algebra Appl. 9, 1974); one step is
exact when the output is a single number.
"""

from collections.abc import Sequence

import numpy as np

from geolip.arrays import Array
from geolip.norms import NormPair
from geolip.sectors import SectorNetwork

_STEPS = 12


def jacobian_norms(
    network: SectorNetwork, slopes: Sequence[Array], norms: NormPair, F: Array
) -> tuple[Array, Array, Array]:
    """Return lower bounds of the norms of r Jacobians, one for each column of slopes.

    Parameters
    ----------
    network : SectorNetwork
        The network.
    slopes : sequence of array (n_k, r)
        The slopes of blocks 1..K.
    norms : NormPair
        In which to measure.
    F : array (m, r)
        Output functionals to start from.

    Returns
    -------
    (array (r,), array (n_0, r), array (m, r))
        The values, the unit input directions that attain them, and the outputs' duals.
    """
    steps = 1 if network.output.size == 1 else _STEPS
    values = np.zeros(F.shape[1])
    X = np.zeros((network.input_size, F.shape[1]))
    for _ in range(steps):
        X = norms.input.aligned(network.adjoint_jacobian(slopes, F))
        V = network.jacobian(slopes, X)
        values = norms.output.of(V)
        F = norms.output.dual_aligned(V)
    return values, X, F
