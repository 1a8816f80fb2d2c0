"""A network as a directed acyclic graph of affine maps between activation blocks.

Block 0 is the input; block k >= 1 is the output vector of one activation layer. What
the network computes is fixed here; how far its output can move is asked of its
`SectorNetwork`.

Source: docs/theory.md section 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geolip.activations import Activation
from geolip.arrays import Array
from geolip.linear import LinearOperator, compose, scaling
from geolip.norms import Norm
from geolip.sectors import LinearMap, Mixture, SectorBlock, SectorNetwork


@dataclass(frozen=True, eq=False)
class Affine:
    """An affine function of the blocks before it: ``sum_j A_j y_j + bias``.

    Parameters
    ----------
    terms : mapping of int to LinearOperator
        The operator A_j for every block j that is read.
    bias : array (n,)
        The constant.
    shape : tuple of int
        The shape of the tensor that the n coordinates stand for.
    doubt : float
        By how much an entry of the bias may differ from the model's real one, which
        matters to lower bounds only: biases cancel in differences.
    """

    terms: Mapping[int, LinearOperator]
    bias: Array
    shape: tuple[int, ...]
    doubt: float = 0.0

    @property
    def size(self) -> int:
        """The number n of coordinates."""
        return len(self.bias)

    @property
    def linear(self) -> LinearMap:
        """The map of differences, in which the bias cancels."""
        return LinearMap(self.size, self.terms)

    def apply(self, values: Sequence[Array]) -> Array:
        """Return the value (n, r) for blocks ``values[j]`` of shape (n_j, r)."""
        return self.linear.apply(values) + self.bias[:, None]


@dataclass(frozen=True, eq=False)
class Block:
    """One activation layer.

    Parameters
    ----------
    name : str
        The name of the ONNX node, or one made up for people.
    preactivation : Affine
        z as a function of earlier blocks.
    activation : Activation
        The scalar function, and its sector.
    mixture : Mixture, optional
        What else is known of linear neurons.
    """

    name: str
    preactivation: Affine
    activation: Activation
    mixture: Mixture | None = None

    @property
    def size(self) -> int:
        """The number of neurons."""
        return self.preactivation.size


@dataclass(frozen=True, eq=False)
class Head:
    """A last function that is not applied entry by entry, such as a softmax.

    Parameters
    ----------
    name : str
        The ONNX operator.
    function : callable
        Of columns (m, r).
    constants : mapping of str to float
        Its Lipschitz constant from each norm to the same norm, or more.
    shape : tuple of int
        Of the tensor that it makes.
    """

    name: str
    function: Callable[[Array], Array]
    constants: Mapping[str, float]
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Network:
    """A frozen network; evaluates in float64.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of the input tensor, a free batch dimension as 1.
    blocks : tuple of Block
        Activation layers 1..K, each after all that it reads.
    output : Affine
        The output as a function of the blocks.
    input_name, output_name : str
        The tensors' names in the model.
    inexact : tuple of str
        Nodes whose factors the graph computes from others, which may have been rounded:
        bounds are then about the rounded factors.
    head : Head, optional
        What the output goes through in the end.
    """

    input_shape: tuple[int, ...]
    blocks: tuple[Block, ...]
    output: Affine
    input_name: str = "input"
    output_name: str = "output"
    inexact: tuple[str, ...] = ()
    head: Head | None = None

    @property
    def input_size(self) -> int:
        """The number of input coordinates."""
        return int(np.prod(self.input_shape, dtype=np.int64))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the output tensor, behind the head if there is one."""
        return self.output.shape if self.head is None else self.head.shape

    @property
    def inexactness(self) -> str:
        """Why the network's own numbers are not known exactly."""
        nodes = ", ".join(self.inexact)
        return (
            f"the graph computes factors of {nodes} from other constants, which may "
            "round; export the model with constants folded"
        )

    @property
    def neurons(self) -> int:
        """The number of neurons in all blocks."""
        return sum(block.size for block in self.blocks)

    def preactivations(self, X: Array) -> list[Array]:
        """Return z_1..z_K (n_k, r) and the output (m, r) for input points (n, r).

        The output is that before the head.
        """
        values = [X]
        results = []
        for block in self.blocks:
            results.append(block.preactivation.apply(values))
            values.append(block.activation.function(results[-1]))
        return [*results, self.output.apply(values)]

    def evaluate(self, X: Array) -> Array:
        """Return the outputs (m, r) at the input points that are columns of ``X``."""
        output = self.preactivations(X)[-1]
        return output if self.head is None else self.head.function(output)

    def slopes(self, X: Array) -> list[Array]:
        """Return all activations' derivatives (n_k, r) at the columns of ``X``."""
        points = self.preactivations(X)[:-1]
        pairs = zip(self.blocks, points, strict=True)
        return [block.activation.derivative(z) for block, z in pairs]

    def without_head(self, norm: Norm) -> "Network":
        """Return a network that moves at least as much in an output norm.

        That is what the head reads times the head's constant, or the network itself.
        """
        if self.head is None:
            return self
        constant = self.head.constants[norm.name]
        multiply = scaling(np.full(self.output.size, constant))
        terms = {j: compose(multiply, A) for j, A in self.output.terms.items()}
        output = replace(self.output, terms=terms, bias=constant * self.output.bias)
        return replace(self, output=output, head=None)

    def sectors(self) -> SectorNetwork:
        """Return the network of differences, with sectors in place of activations."""
        blocks = []
        for block in self.blocks:
            lower, upper = block.activation.sector(block.size)
            reading = block.preactivation.linear
            blocks.append(SectorBlock(reading, lower, upper, block.mixture))
        return SectorNetwork(self.input_size, tuple(blocks), self.output.linear)
