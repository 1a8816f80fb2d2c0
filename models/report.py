"""What the trained networks are: a table for the terminal, a README for the folder."""

import platform
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

LIBRARIES = ("numpy", "scikit-learn", "torch", "onnx", "onnxruntime")

_README = """\
# Example networks

Small classifiers of handwritten digits for trying out geolip, for its tests and its
benchmarks. `train.py` made every network here, and this page.

{table}

Neurons are the scalar activations that one input passes through. The accuracy is that
of the ONNX file in ONNX Runtime, on test images that were not used for training. These
come from the same writers as the training images, so expect less on other handwriting.

Every file has one input `input` of shape `(batch, 64)` or `(batch, 1, 8, 8)`, with
pixels between 0 (background) and 1, and one output `logits` of shape `(batch, 10)`.
In the table `16@3x3/2` is a convolution with 16 channels, a 3x3 kernel and stride 2.
The first residual block has the identity as its shortcut, the second a 1x1 convolution
of stride 2; batch normalisation stays in the graph as nodes of its own.

## Making them again

```sh
python -m pip install torch scikit-learn onnx onnxruntime
python models/train.py{seed_option}
```

{versions}

The same versions on the same kind of processor give the same bytes. Elsewhere rounding
differs and training magnifies it: expect other weights, and accuracies that differ by
about a percentage point.

`python models/train.py --mnist DIR` trains 784-input networks on MNIST, whose four
files must be in `DIR`; `--hidden 64,64` chooses the hidden layers; `--help` has the
rest.

## Data

The digits are the 1797 images of 8x8 pixels that `sklearn.datasets.load_digits`
returns, divided by 16; a quarter of them is kept for testing. They are the test set of
E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine
Learning Repository, 1998, <https://doi.org/10.24432/C50P49>, licensed under
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). scikit-learn, which bundles
them, is under the BSD 3-Clause licence. This folder holds no images.
"""


@dataclass(frozen=True)
class Entry:
    """One trained network.

    Parameters
    ----------
    name, architecture : str
        What it is called, and what it is made of.
    neurons : int
        The number of scalar activations.
    accuracy : float
        The share of test images that the file classifies correctly.
    seed : int
        The seed of the training.
    sha256 : str
        The digest of the file.
    """

    name: str
    architecture: str
    neurons: int
    accuracy: float
    seed: int
    sha256: str

    @property
    def file(self) -> str:
        """The name of the ONNX file."""
        return f"{self.name}.onnx"

    @property
    def percentage(self) -> str:
        """The accuracy for people."""
        return f"{self.accuracy:.1%}"


def table(entries: Sequence[Entry]) -> str:
    """Return the networks as aligned columns of text."""
    rows = [("name", "architecture", "neurons", "accuracy", "sha256")]
    for entry in entries:
        rows.append(
            (
                entry.name,
                entry.architecture,
                str(entry.neurons),
                entry.percentage,
                entry.sha256,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def readme(entries: Sequence[Entry]) -> str:
    """Return the page that describes the folder, in Markdown."""
    lines = [
        "| file | architecture | neurons | test accuracy | seed | SHA-256 |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for entry in entries:
        lines.append(
            f"| `{entry.file}` | {entry.architecture} | {entry.neurons} "
            f"| {entry.percentage} | {entry.seed} | `{entry.sha256}` |"
        )
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    versions = f"Made with Python {platform.python_version()}, {libraries}."
    seed = entries[0].seed
    return _README.format(
        table="\n".join(lines),
        seed_option=f" --seed {seed}" if seed else "",
        versions=textwrap.fill(versions, width=88),
    )
