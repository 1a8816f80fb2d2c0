"""A network as stages: every layer is a known multiple of what it reads, and a rest.

With slopes in [a, b], centre c = (a + b)/2 and radius h = (b - a)/2, a neuron's output
is ``y = c z + q`` with ``|q| <= h |z|``. Bounds that need no semidefinite program
follow the centres exactly along all paths and know of the rests only how large they
are. Maxima come in two ways: *explicit*, as the ReLU neurons that compute them, or
*implicit*, as one layer without a centre whose output is a mean of what is compared.

Source: Combettes and Pesquet (SIAM J. Math. Data Sci. 2, 2020), who write a firmly
non-expansive activation as a mean of the identity and a non-expansive one; any sector
is treated alike. The words explicit and implicit are Pintore's and Despres'
(arXiv 2410.21053); that they mean this is a reconstruction, unconfirmed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geolip.arrays import Array
from geolip.presolve import reduce
from geolip.rigor.rounding import UNIT
from geolip.sectors import Gradients, LinearMap, Mixture, SectorBlock, SectorNetwork

# More than what numbers below float64's range may add up to; what other factors of the
# same map make of it is their growth.
TINY = 2.0**-800


@dataclass(frozen=True, eq=False)
class Stage:
    """One layer: ``y = centre z + q`` with ``|q| <= radius |z|``, entry by entry.

    Of a ``pooled`` layer only the mixture counts, and z is its source; the centre is
    zero.
    """

    reading: LinearMap
    centre: Array
    radius: Array
    pooled: Mixture | None = None

    @property
    def size(self) -> int:
        """The number of outputs y."""
        return len(self.centre)

    def rest(self, R: Array) -> Array:
        """Return a bound of |q| (n, r) from one of |z|, the columns ``R``."""
        if self.pooled is not None:
            return self.pooled.largest(R)
        return _times(self.radius, R)

    def whole(self, R: Array) -> Array:
        """Return a bound of |y| (n, r) from one of |z|, the columns ``R``."""
        if self.pooled is not None:
            return self.pooled.largest(R)
        return _times(np.abs(self.centre) + self.radius, R)

    @cached_property
    def open_rows(self) -> NDArray[np.intp]:
        """Which coordinates of z leave a rest."""
        if self.pooled is not None:
            return np.arange(self.reading.size)
        return np.flatnonzero(self.radius)


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages of a network in their order, and the output that reads them."""

    input_size: int
    stages: tuple[Stage, ...]
    output: LinearMap

    @property
    def readings(self) -> tuple[LinearMap, ...]:
        """What the stages 1..K read, then what the output reads."""
        return (*(stage.reading for stage in self.stages), self.output)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of coordinates of the input and of every stage."""
        return (self.input_size, *(stage.size for stage in self.stages))

    @property
    def explicit(self) -> bool:
        """Whether no stage is a mixture."""
        return all(stage.pooled is None for stage in self.stages)

    @cached_property
    def read(self) -> frozenset[int]:
        """Which stages the output depends on."""
        found = set(self.output.terms)
        for k in range(len(self.stages), 0, -1):
            if k in found:
                found |= set(self.stages[k - 1].reading.terms)
        return frozenset(found)

    @cached_property
    def lost(self) -> float:
        """More than what underflows in applying any of the maps or its adjoint."""
        growths = (reading.growth for reading in self.readings)
        return TINY * max(growths, default=1.0)

    def doubt(self, reading: LinearMap) -> float:
        """Return by how much a map or its adjoint is off, as a share of the sizes.

        Of the absolute terms' sums: n roundings for n summands, those that the entries
        carry, and one for every reader that adds to the same gradient; twice that also
        covers products of such factors.
        """
        counts = (max(A.shape) + A.roundings for A in reading.terms.values())
        return 2 * (max(counts, default=0) + len(self.stages) + 8) * UNIT

    def above(self, reading: LinearMap, wholes: list[Array]) -> Array:
        """Return a bound of what is read (m, r) from those of all that it reads."""
        if not reading.terms:
            return np.zeros((reading.size, wholes[0].shape[1]))
        read = reading.absolute.apply(wholes)
        return np.asarray(read * (1 + self.doubt(reading)) + self.lost)

    def path_rows(
        self, reading: LinearMap, rows: NDArray[np.intp], before: int
    ) -> Gradients:
        """Return rows of the products along all paths, as columns.

        Parameters
        ----------
        reading : LinearMap
            Where the paths end.
        rows : array of int (r,)
            Which of its coordinates.
        before : int
            The stages up to this one may be on a path.

        Returns
        -------
        Gradients
            For every stage k, and 0 for the input, an array (n_k, r): what the chosen
            coordinates make of stage k's rest, if each later layer multiplies by its
            centre alone.
        """
        ends = np.zeros((reading.size, len(rows)))
        ends[rows, np.arange(len(rows))] = 1.0
        paths = Gradients(self.sizes, len(rows))
        reading.add_adjoint(ends, paths)
        for k in range(before, 0, -1):
            stage = self.stages[k - 1]
            if k in paths and stage.centre.any():
                stage.reading.add_adjoint(stage.centre[:, None] * paths[k], paths)
        return paths


def explicit(network: SectorNetwork) -> Stages:
    """Return the stages of all neurons, those that compute maxima among them.

    But for dead and linear ones.
    """
    network = reduce(network).network
    stages = tuple(_of_neurons(block) for block in network.blocks)
    return Stages(network.input_size, stages, network.output)


def implicit(network: SectorNetwork) -> Stages:
    """Return the stages with every known mixture as one of them."""
    stages = tuple(
        _of_neurons(block) if block.mixture is None else _pooled(block.mixture)
        for block in network.blocks
    )
    return Stages(network.input_size, stages, network.output)


def ways(network: SectorNetwork) -> dict[str, Stages]:
    """Return the network's stages by the way its maxima are written."""
    if not network.has_mixtures:
        return {"": explicit(network)}
    return {"explicit maxima": explicit(network), "implicit": implicit(network)}


def least(bounds: Mapping[str, float]) -> tuple[float, str]:
    """Return the least bound, and all of them in words if there are several."""
    words = [f"{way} {bound:.6g}" for way, bound in bounds.items() if way]
    return min(bounds.values()), ", ".join(words)


def _of_neurons(block: SectorBlock) -> Stage:
    lower, upper = block.lower, block.upper
    centre = lower / 2 + upper / 2
    # Whatever the centre is, exactly: rounded up, and nothing for linear neurons.
    ends = np.maximum(upper - centre, centre - lower)
    radius = np.where(lower == upper, 0.0, np.nextafter(ends, np.inf))
    return Stage(block.preactivation, np.where(lower == upper, lower, centre), radius)


def _pooled(mixture: Mixture) -> Stage:
    none = np.zeros(len(mixture.windows))
    return Stage(mixture.source, none, none, mixture)


def _times(factors: Array, R: Array) -> Array:
    return np.asarray(factors[:, None] * R * (1 + 8 * UNIT) + TINY)
