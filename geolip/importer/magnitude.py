"""The sizes of numbers that geolip accepts in a model.

Products of a few stored numbers must neither overflow nor underflow in float64, since
the error bounds of the verifier are relative. All of float16, bfloat16 and float32
qualifies. Longer products, which layers without an activation between them make, are
checked when the network is built.
"""

import numpy as np

from geolip.arrays import Array, least_size
from geolip.errors import ModelError
from geolip.network import Affine, Network

_SMALLEST, _LARGEST = 2.0**-200, 2.0**200
_PRODUCT_EXPONENT = 1000


def checked(numbers: Array, what: str) -> Array:
    """Return the numbers if all are finite and of an accepted size.

    Raises
    ------
    ValueError
        If one is NaN, infinite, or not zero and outside 2^-200 .. 2^200 in size.
    """
    if not np.isfinite(numbers).all():
        raise ValueError(f"{what} has NaN or infinite entries")
    least, most = least_size(numbers), float(np.abs(numbers).max(initial=0.0))
    if least < _SMALLEST or most > _LARGEST:
        wrong = least if least < _SMALLEST else most
        raise ValueError(
            f"{what} has an entry of size {wrong:.3g}: expected zero or 1e-60 to 1e60, "
            "so rescale the weights"
        )
    return numbers


def check_products(network: Network) -> None:
    """Refuse a network in which products of weights overflow or underflow.

    Raises
    ------
    ModelError
        If a product of entries along one stretch without activations may be outside
        2^-1000 .. 2^1000 in size.
    """
    for block in network.blocks:
        _check_products(block.preactivation, f"block {block.name!r}")
    _check_products(network.output, f"output {network.output_name!r}")


def _check_products(value: Affine, what: str) -> None:
    for operator in value.terms.values():
        smallest, largest = operator.magnitude
        if smallest < -_PRODUCT_EXPONENT or largest > _PRODUCT_EXPONENT:
            raise ModelError(
                f"{what}: products of weights leave float64's range: rescale the "
                "weights"
            )
