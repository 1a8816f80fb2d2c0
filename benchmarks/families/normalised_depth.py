"""Networks whose layers have spectral norm one: the true constant dies out with depth.

What is left of it is soon below what solvers call zero.
"""

import networks

from families import Member

TITLE = "layers of norm one, by depth"
ABOUT = (
    "Square Gaussian matrices of order 10 over their spectral norms, d of them: the "
    "norm product stays 1 and the constant tends to 0."
)
NORMS = ("2",)
GROWS = "depth"
METHODS = ()


def members(full: bool) -> list[Member]:
    """Return networks of growing depth."""
    depths = (2, 4, 8, 16, 24, 32) if full else (4, 8, 16)
    return [
        Member(
            f"{d} matrices", networks.model(networks.weights("unit", [10] * (d + 1))), d
        )
        for d in depths
    ]
