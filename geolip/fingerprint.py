"""A hash of what a model means, which saving the file again does not change.

It covers the linear maps and the sectors, number by number: all that bounds rest on.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from scipy import sparse

from geolip.sectors import SectorNetwork


def fingerprint(network: SectorNetwork) -> str:
    """Return the sha256, in hexadecimal, of a network of differences."""
    digest = hashlib.sha256(b"geolip.semantics/2")
    _feed(digest, network)
    return digest.hexdigest()


def _feed(digest: Any, value: object) -> None:
    """Feed a value, after its kind and size, so that no two values feed the same."""
    match value:
        case sparse.csr_array():
            for part in (value.shape, value.indptr, value.indices, value.data):
                _feed(digest, part)
        case np.ndarray():
            kind = "<f8" if value.dtype.kind == "f" else "<i8"
            digest.update(f"array {kind} {value.shape};".encode())
            digest.update(np.ascontiguousarray(value, dtype=kind).tobytes())
        case Mapping():
            digest.update(f"mapping {len(value)};".encode())
            for key in sorted(value):
                _feed(digest, key)
                _feed(digest, value[key])
        case tuple():
            digest.update(f"tuple {len(value)};".encode())
            for item in value:
                _feed(digest, item)
        case _ if is_dataclass(value):
            digest.update(f"{type(value).__name__};".encode())
            for entry in fields(value):
                _feed(digest, getattr(value, entry.name))
        case _:
            digest.update(f"{value!r};".encode())
