"""Which names of arrays in a file stand for the weights and biases of which layer."""

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from geolip.importer.matrices import relu_network
from geolip.network import Network

_WEIGHT = re.compile(r"(?:arr_|[Ww]_?|weights?_?)(\d{1,6})")
_BIAS = re.compile(r"(?:b_?|bias(?:es)?_?)(\d{1,6})")
_ACCEPTED = (
    "weights arr_0, arr_1, ... or W1, W2, ... (also w1, W_1, weight1, weight_1) and, "
    "for biases, b1, b2, ... (also b_1, bias1, bias_1), numbered without gaps"
)


def network_of(arrays: Mapping[str, NDArray[Any]]) -> Network:
    """Return the ReLU network of numbered arrays.

    Parameters
    ----------
    arrays : mapping of str to array
        Weights (out, in) named ``arr_0, arr_1, ...`` or ``W1, W2, ...``, biases, where
        there are any, ``b1, b2, ...`` with the number of their weights.

    Raises
    ------
    ValueError
        If a name is none of these, a number is missing or given twice, or the arrays
        do not form a network.
    """
    weights: dict[int, NDArray[Any]] = {}
    biases: dict[int, NDArray[Any]] = {}
    for name, array in arrays.items():
        for pattern, found in ((_WEIGHT, weights), (_BIAS, biases)):
            if match := pattern.fullmatch(name):
                if int(match[1]) in found:
                    raise ValueError(f"{name!r} has the number of another array")
                found[int(match[1])] = array
                break
        else:
            raise ValueError(f"it holds {name!r}: expected {_ACCEPTED}")
    if not weights:
        raise ValueError(f"it holds no weights: expected {_ACCEPTED}")
    numbers = range(min(weights), min(weights) + len(weights))
    if numbers.start > 1 or set(numbers) != set(weights) or biases.keys() - weights:
        raise ValueError(
            f"it holds weights {sorted(weights)} and biases {sorted(biases)}: expected "
            f"{_ACCEPTED}"
        )
    return relu_network(
        [weights[number] for number in numbers],
        [biases.get(number) for number in numbers],
    )
