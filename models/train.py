"""Train the example networks and write them as ONNX.

python models/train.py                        every digits network, and README.md
python models/train.py digits_fc digits_conv  only these
python models/train.py --hidden 64,64         a ReLU network with these hidden layers
python models/train.py --mnist DIR            networks for the MNIST files in DIR

The same seed gives the same bytes on the same libraries and kind of processor.
"""

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from architectures import Architecture, convolutional, count_neurons, dense, residual
from datasets import Dataset, InputError, load_bundled_digits, load_mnist
from export import INPUT, LOGITS, to_onnx
from report import Entry, readme, table

HERE = Path(__file__).resolve().parent

DIGITS: Mapping[str, Architecture] = {
    "digits_fc": dense(64, [32]),
    "digits_fc3": dense(64, [48] * 3),
    "digits_sigmoid": dense(64, [40] * 2, nn.Sigmoid),
    "digits_conv": convolutional(),
    "digits_resnet": residual(),
}
DIGITS_EPOCHS = 60

MNIST: Mapping[str, Architecture] = {
    "mnist_fc": dense(784, [64]),
    "mnist_fc7": dense(784, [64] * 7),
}
MNIST_EPOCHS = 15

BATCH = 64
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.1  # smaller Lipschitz constants for next to no accuracy
TOLERANCE = 1e-4  # between logits of PyTorch and of the file, absolute and relative


def fit(
    architecture: Architecture, dataset: Dataset, epochs: int, seed: int
) -> nn.Module:
    """Return a network trained on the training images, ready for inference."""
    torch.manual_seed(seed)
    network = architecture.build()
    images = dataset.train_images.reshape(-1, *architecture.input_shape)
    labels = dataset.train_labels
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=epochs * -(-len(images) // BATCH)
    )
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(images)), BATCH):
            loss = nn.functional.cross_entropy(network(images[batch]), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def accuracy_of(
    content: bytes, network: nn.Module, images: Tensor, labels: Tensor
) -> float:
    """Return the accuracy of an ONNX file, which must compute what the network does.

    Raises
    ------
    ArithmeticError
        If the two disagree by more than rounding.
    """
    with torch.no_grad():
        expected = network(images).numpy()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (logits,) = session.run([LOGITS], {INPUT: images.numpy()})
    if not np.allclose(logits, expected, rtol=TOLERANCE, atol=TOLERANCE):
        raise ArithmeticError("the ONNX file and the trained network disagree")
    return float(np.mean(logits.argmax(axis=1) == labels.numpy()))


def make(
    name: str, architecture: Architecture, dataset: Dataset, epochs: int, seed: int
) -> tuple[Entry, bytes]:
    """Train one network; return its line of the table and its ONNX file."""
    network = fit(architecture, dataset, epochs, seed)
    shape = architecture.input_shape
    content = to_onnx(
        network, name, shape, f"{architecture.summary}; trained with seed {seed}"
    ).SerializeToString(deterministic=True)
    images = dataset.test_images.reshape(-1, *shape)
    entry = Entry(
        name=name,
        architecture=architecture.summary,
        neurons=count_neurons(network, shape),
        accuracy=accuracy_of(content, network, images, dataset.test_labels),
        seed=seed,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return entry, content


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)  # the order of additions must not vary
    torch.use_deterministic_algorithms(True)
    try:
        _run(options)
    except (InputError, OSError) as error:
        print(f"train.py: error: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.mnist:
        dataset, epochs = load_mnist(options.mnist), MNIST_EPOCHS
        chosen = _choose("mnist", MNIST, dataset.pixels, options)
    else:
        dataset, epochs = load_bundled_digits(), DIGITS_EPOCHS
        chosen = _choose("digits", DIGITS, dataset.pixels, options)
    options.output.mkdir(parents=True, exist_ok=True)
    entries = []
    for name, architecture in chosen.items():
        entry, content = make(name, architecture, dataset, epochs, options.seed)
        (options.output / entry.file).write_bytes(content)
        entries.append(entry)
    print(table(entries))
    # Any other folder may have a README of its own.
    if chosen == DIGITS and options.output.resolve() == HERE:
        (HERE / "README.md").write_text(readme(entries), encoding="utf-8")


def _choose(
    family: str,
    known: Mapping[str, Architecture],
    pixels: int,
    options: argparse.Namespace,
) -> Mapping[str, Architecture]:
    """Return the networks to train by name."""
    if options.hidden and options.names:
        raise InputError("give either names or --hidden, not both")
    if options.hidden:
        name = "_".join([family, *map(str, options.hidden)])
        return {name: dense(pixels, options.hidden)}
    for name in options.names:
        if name not in known:
            raise InputError(f"no network {name!r}; there are {', '.join(known)}")
    return {name: known[name] for name in options.names or known}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train.py",
        description="Train the example networks and write them as ONNX.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"what to train: {', '.join(DIGITS)}; with --mnist {', '.join(MNIST)} "
        "(default: all of them)",
    )
    parser.add_argument(
        "--hidden",
        type=widths,
        metavar="N,N,...",
        help="train one dense ReLU network with hidden layers of these widths instead",
    )
    parser.add_argument(
        "--mnist",
        type=Path,
        metavar="DIR",
        help="learn from the four MNIST IDX files (plain or .gz) in this folder",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=HERE,
        metavar="DIR",
        help="where the files go (default: the folder of this script)",
    )
    parser.add_argument("--seed", type=seed, default=0, help="default: 0")
    return parser


def widths(text: str) -> list[int]:
    """Parse ``64,64``."""
    hidden = [int(width) for width in text.split(",")]
    if min(hidden) < 1:
        raise argparse.ArgumentTypeError("every width must be at least 1")
    return hidden


def seed(text: str) -> int:
    """Parse a seed that PyTorch takes."""
    number = int(text)
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError("a seed is at least 0 and below 2**63")
    return number


if __name__ == "__main__":
    sys.exit(main())
