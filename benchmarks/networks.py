"""Write the random networks of the solver benchmarks as ONNX files.

    python benchmarks/networks.py DIRECTORY

Families: ``he`` has independent Gaussian weights of variance 2 / inputs; ``unit`` has
the same divided by their spectral norms, so that the true constant dies out with depth.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import onnx
from families import gaussian
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SHAPES: dict[str, tuple[str, list[int]]] = {
    "he_784_1024_1024_10": ("he", [784, 1024, 1024, 10]),
    "he_5_60x29_2": ("he", [5, *[60] * 29, 2]),
    "unit_64x65": ("unit", [64] * 65),
    "unit_80x101": ("unit", [80] * 101),
}


def weights(family: str, sizes: list[int], seed: int = 0) -> list[NDArray[np.float64]]:
    """Return the weight matrices (out, in) of a family, first layer first."""
    matrices = gaussian(np.random.default_rng(seed), sizes)
    if family == "unit":
        matrices = [W / np.linalg.norm(W, 2) for W in matrices]
    return matrices


def model(
    matrices: Sequence[NDArray[np.float64]],
    biases: Sequence[NDArray[np.float64]] = (),
    activation: str = "Relu",
) -> onnx.ModelProto:
    """Return the network of the matrices, in float64 as they are.

    Parameters
    ----------
    matrices : sequence of array (n_k, n_{k-1})
        First layer first.
    biases : sequence of array (n_k,)
        None if empty.
    activation : str
        The ONNX operator between each two.
    """
    nodes, tensors, value = [], [], "input"
    for k, W in enumerate(matrices, 1):
        read = [value, f"W{k}"]
        tensors.append(numpy_helper.from_array(W, f"W{k}"))
        if biases:
            read.append(f"b{k}")
            tensors.append(numpy_helper.from_array(biases[k - 1], f"b{k}"))
        made = "output" if k == len(matrices) else f"z{k}"
        nodes.append(helper.make_node("Gemm", read, [made], transB=1))
        if k < len(matrices):
            value = f"y{k}"
            nodes.append(helper.make_node(activation, [made], [value], name=f"relu{k}"))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["batch", size])
        for name, size in (
            ("input", matrices[0].shape[1]),
            ("output", matrices[-1].shape[0]),
        )
    ]
    graph = helper.make_graph(nodes, "random", ends[:1], ends[1:], tensors)
    opsets = [helper.make_opsetid("", 17 if activation == "Relu" else 20)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def write(folder: Path) -> None:
    """Write all networks into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (family, sizes) in SHAPES.items():
        onnx.save(model(weights(family, sizes)), str(folder / f"{name}.onnx"))
        click.echo(folder / f"{name}.onnx")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write all networks into FOLDER."""
    write(folder)


if __name__ == "__main__":
    main()
