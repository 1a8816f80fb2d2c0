"""How many points a search of lower bounds can afford."""

import math
import time

import numpy as np

from geolip.sectors import SectorNetwork

# Passes through the network of a look at a point and of its proof, about.
_PASSES = 12


@np.errstate(over="ignore", invalid="ignore")
def affordable(network: SectorNetwork, most: int, deadline: float) -> int:
    """Return at how many points one look, with its proof, ends before a deadline.

    Parameters
    ----------
    network : SectorNetwork
        In which a pass of one point is timed.
    most : int
        The answer where there is time enough; it is 1 where there is none.
    deadline : float
        By `time.monotonic`.
    """
    if deadline == math.inf:
        return most
    start = time.monotonic()
    steepest = [block.upper[:, None] for block in network.blocks]
    network.jacobian(steepest, np.ones((network.input_size, 1)))
    now = time.monotonic()
    passes = (deadline - now) / max(now - start, 1e-9)
    return int(min(max(passes / _PASSES, 1), most))
