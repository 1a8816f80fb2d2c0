"""PyTorch modules, by way of PyTorch's own exporters of ONNX.

What is certified is the exported model: exporters fold constants, such as batch
normalisation into convolutions, in the module's own arithmetic.
"""

import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from pathlib import Path
from typing import Any

from onnx import ModelProto

from geolip.errors import ModelError, UsageError
from geolip.files import write_whole
from geolip.importer.boundary import translated


def is_module(model: object) -> bool:
    """Return whether something is a ``torch.nn.Module``, without importing torch."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def export(module: Any, example_input: Any, path: str | Path | None = None) -> bytes:
    """Export a PyTorch module as an ONNX model.

    A copy of the module is exported: in inference mode, and with weights that it
    computes from parameters (spectral, weight and orthogonal parametrisations) stored
    as they are computed. The module itself is left as it is. PyTorch's exporter by way
    of ``torch.export`` comes first; what it cannot export, the older one by way of
    TorchScript may.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    example_input : torch.Tensor, or tuple of them
        What it is called with; its shape is the shape of the network's input.
    path : path, optional
        Where to write the model too; a certificate of the module is one of this file.

    Returns
    -------
    bytes
        The model's file; the same for the same module, example and version of PyTorch.

    Raises
    ------
    UsageError
        If it is no module, or the file cannot be written.
    ModelError
        If neither exporter can export it; the message has the reasons of both.
    """
    if not is_module(module):
        raise UsageError(
            f"an example input goes with a torch.nn.Module, found a model of type "
            f"{type(module).__name__}"
        )
    examples = example_input if isinstance(example_input, tuple) else (example_input,)
    still = frozen(module)
    with translated(f"{type(module).__name__} does not run on the example input"):
        _run(still, examples)
    reasons = []
    for name, exporter in EXPORTERS.items():
        try:
            content = exporter(still, examples)
        except Exception as error:
            reasons.append(f"{name}: {_reason(error)}")
            continue
        if path is not None:
            write_whole(Path(path), content)
        return content
    raise ModelError(
        f"{type(module).__name__} cannot be exported as ONNX ({'; '.join(reasons)}): "
        "rewrite what the exporters do not know, or export it yourself"
    )


def frozen(module: Any) -> Any:
    """Return a copy in inference mode, which computes none of its weights."""
    from torch import Tensor

    # PyTorch copies no computed tensors; the older weight normalisation has some.
    attributes = [value for part in module.modules() for value in vars(part).values()]
    tensors = [value for value in attributes if isinstance(value, Tensor)]
    with translated(f"{type(module).__name__} cannot be copied"):
        memo = {id(t): t.detach().clone() for t in tensors if not t.is_leaf}
        copy = deepcopy(module, memo).eval()
        for part in copy.modules():
            _store_weights(part)
        return copy


def _store_weights(module: Any) -> None:
    """Replace the parametrisations of a copied module by their values.

    PyTorch's own function would also change the class, which is the original's too.
    """
    from torch.nn import Parameter
    from torch.nn.utils import parametrize

    if not parametrize.is_parametrized(module):
        return
    values = {name: getattr(module, name).detach() for name in module.parametrizations}
    module.__class__ = parametrize.type_before_parametrizations(module)
    del module.parametrizations
    for name, value in values.items():
        module.register_parameter(name, Parameter(value, requires_grad=False))


def _run(module: Any, examples: tuple[Any, ...]) -> None:
    import torch

    with torch.no_grad():
        module(*examples)


def _by_torch_export(module: Any, examples: tuple[Any, ...]) -> bytes:
    import torch

    with _quiet():
        program = torch.onnx.export(module, examples, dynamo=True, verbose=False)
    return _bytes(program.model_proto)


def _by_torchscript(module: Any, examples: tuple[Any, ...]) -> bytes:
    import torch

    file = io.BytesIO()
    with _quiet():
        # It tells that another branch or size might be taken for other inputs.
        warnings.simplefilter("error", torch.jit.TracerWarning)
        torch.onnx.export(module, examples, file, dynamo=False, verbose=False)
    return _bytes(ModelProto.FromString(file.getvalue()))


EXPORTERS: dict[str, Callable[[Any, tuple[Any, ...]], bytes]] = {
    "torch.export": _by_torch_export,
    "TorchScript": _by_torchscript,
}
"""PyTorch's exporters in the order in which they are tried."""


def _bytes(model: ModelProto) -> bytes:
    """Return the file of a model, without notes on where in the source it comes from.

    They hold paths of this machine, which would get into the hash.
    """
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]
    return bytes(model.SerializeToString(deterministic=True))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what exporters tell about themselves off the user's terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _reason(error: BaseException) -> str:
    """Return the first line of what an exporter stumbled over in the end."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
