"""NumPy archives of weight matrices: ``np.savez(path, *weights)``."""

import io
import zipfile

import numpy as np

from geolip.importer import expansion
from geolip.importer.formats import Format
from geolip.importer.naming import network_of
from geolip.network import Network


def read(content: bytes) -> Network:
    """Return the ReLU network of an archive; see `network_of` for the names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    expansion.check(size, len(content))
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return network_of({name: arrays[name] for name in arrays.files})


FORMAT = Format(".npz", b"PK\x03\x04", read)
