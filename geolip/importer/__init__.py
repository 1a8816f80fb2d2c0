"""From a stored model to a `Network`: ONNX, files of weights, lists of matrices."""

from geolip.importer.graph import build
from geolip.importer.limits import Limits as Limits
from geolip.importer.matrices import from_matrices as from_matrices
from geolip.importer.pytorch import export as export
from geolip.importer.reader import Model as Model
from geolip.importer.reader import Source, fetch
from geolip.importer.reader import read as read
from geolip.importer.rehearsal import rehearse
from geolip.network import Network

DEFAULT_LIMITS = Limits()


def load(model: Model, limits: Limits = DEFAULT_LIMITS) -> Network:
    """Read a model.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        An ONNX file or a file of weights (``.mat``, ``.npz``, ``.nnet``), the content
        of one, an ONNX model in memory, or weight matrices. Matrices have a ReLU
        between each two and no biases.
    limits : Limits
        The most that reading a file or its content may take.

    Returns
    -------
    Network
        The function of the stored parameters, in inference mode; a free first
        dimension of the input is 1.

    Raises
    ------
    UsageError
        If there is no such file, or the matrices do not form a network.
    ModelError
        If the model cannot be read or contradicts itself.
    UnsupportedModelError
        If the output depends on nodes that cannot be certified; it lists all of them.
    """
    return load_with_hash(model, limits)[0]


def load_with_hash(
    model: Model, limits: Limits = DEFAULT_LIMITS
) -> tuple[Network, str]:
    """Read a model and tell which one it was.

    Parameters
    ----------
    model : path, bytes, ModelProto or sequence of array (n_k, n_{k-1})
        As for `load`, which raises the same errors.
    limits : Limits
        The same.

    Returns
    -------
    Network
        The network.
    str
        The sha256, in hexadecimal, of the bytes, the serialised model or the matrices.
    """
    held = fetch(model)
    if isinstance(held, Source):
        rehearse(lambda: _built(held), limits)
    return _built(held)


def _built(model: Model | Source) -> tuple[Network, str]:
    held, sha256 = read(model)
    return held if isinstance(held, Network) else build(held), sha256
