"""How much of the gap between the relaxation and the FGL valid inequalities close.

    python benchmarks/tighter.py DIRECTORY [FAMILY ...]

Writes DIRECTORY/results.jsonl and results.md. Small networks, where the FGL is known by
brute force: the solver ``triangles``, branching on the most ambiguous neurons, and
dense SDPs with sets of inequalities (`dense_cuts`). Networks of models/, each output
and each difference of two neighbouring outputs, and networks of the size of images:
``triangles`` against the best pattern.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any, TypeAlias

import click
import dense_cuts
import machine
import numpy as np

from geolip import backend, importer, norms
from geolip.arrays import Array, row_norms
from geolip.backend import Settings, Solution
from geolip.bounds.pattern import largest_pattern
from geolip.incumbent import Incumbent
from geolip.linear import Dense, compose
from geolip.presolve import reduce
from geolip.problem import Problem
from geolip.sectors import LinearMap, SectorNetwork

_INSTANCES = 60
_ACCURACY = 1e-5
_INF = norms.parse("inf")
_MODELS = Path(__file__).parents[1] / "models"
_SMALL = {
    "random 10-12-1": (10, 12, 1),
    "random 16-14-1": (16, 14, 1),
    "random 6-8-8-1": (6, 8, 8, 1),
    "trained 8-12-1": (8, 12, 1),
    "trained 6-8-8-1": (6, 8, 8, 1),
}
_WIDE = {"random 784-50-1": (784, 50, 1), "random 784-50-50-1": (784, 50, 50, 1)}
_WIDE_INSTANCES = 6
_SHIPPED = ("fc", "fc3", "sigmoid", "conv", "resnet")
# Below, there is nothing to close.
_LEAST_GAP = 1e-4

Record = dict[str, Any]


def gaussian(sizes: Sequence[int], seed: int) -> list[Array]:
    """Return random weights."""
    random = np.random.default_rng(seed)
    return [random.standard_normal((m, n)) / np.sqrt(n) for n, m in pairwise(sizes)]


def trained(sizes: Sequence[int], seed: int) -> list[Array]:
    """Return weights after 1500 steps of Adam on a sine of random inputs."""
    random = np.random.default_rng(seed)
    weights = gaussian(sizes, seed)
    biases = [np.zeros((len(W), 1)) for W in weights]
    X = random.uniform(-1, 1, (sizes[0], 256))
    target = np.sin(3 * random.standard_normal(sizes[0]) @ X)[None]
    parameters = [*weights, *biases]
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    for step in range(1, 1501):
        layers = [X]
        for W, b in zip(weights, biases, strict=True):
            z = W @ layers[-1] + b
            layers.append(z if W is weights[-1] else np.maximum(z, 0.0))
        error = 2 * (layers[-1] - target) / X.shape[1]
        slopes: list[Array] = []
        shifts: list[Array] = []
        for W, y in zip(weights[::-1], layers[-2::-1], strict=True):
            slopes.insert(0, error @ y.T)
            shifts.insert(0, error.sum(axis=1, keepdims=True))
            error = (W.T @ error) * (y > 0)
        for p, g, m, v in zip(
            parameters, [*slopes, *shifts], first, second, strict=True
        ):
            m += 0.1 * (g - m)
            v += 0.001 * (g**2 - v)
            p -= 0.01 * m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-9)
    return weights


def chain(weights: Sequence[Array]) -> SectorNetwork:
    """Return the ReLU chain of the weights."""
    return importer.load(list(weights)).sectors()


def formal_constant(weights: Sequence[Array]) -> float:
    """Return the FGL of a chain with one output, by brute force."""
    first, *rest = weights
    bits = np.array(list(product([0.0, 1.0], repeat=len(first))))
    readers = rest[0]
    if len(rest) == 2:
        slopes = np.array(list(product([0.0, 1.0], repeat=len(rest[0]))))
        readers = (slopes * rest[1]) @ rest[0]
    return max(float(np.abs((bits * u) @ first).sum(axis=1).max()) for u in readers)


def solved(network: SectorNetwork, solver: str) -> tuple[float, float, Solution]:
    """Return a solver's verified bound, its seconds, and its solution."""
    problem = Problem(reduce(network).network, _INF.input)
    if problem.is_trivial:
        return 0.0, 0.0, Solution(backend.Status.TRIVIAL)
    start = time.perf_counter()
    judge = Incumbent(problem, accuracy=_ACCURACY)
    solution = backend.get(solver).solve(problem, Settings(_ACCURACY), judge)
    judge.consider(solution.multipliers, solution.value)
    return judge.settle(), time.perf_counter() - start, solution


def branched(weights: Sequence[Array], count: int) -> tuple[float, float]:
    """Return the largest bound with the most ambiguous neurons fixed, and seconds.

    A neuron is ambiguous by what it would lose at either end of its sector.
    """
    network = chain(weights)
    _, seconds, solution = solved(network, "auto")
    vectors, multipliers = solution.vectors, solution.multipliers
    if vectors is None or multipliers is None:
        raise AssertionError(solution.status)
    ranked = []
    for k, d in enumerate(multipliers.d, 1):
        z = network.blocks[k - 1].preactivation.apply(vectors)
        off = 2 * vectors[k] - z
        loss = d * (
            (row_norms(off) * row_norms(z))[:, 0] - np.abs((off * z).sum(axis=1))
        )
        ranked += [(float(worth), k - 1, i) for i, worth in enumerate(loss)]
    chosen = sorted(ranked, reverse=True)[:count]
    bounds = []
    for ends in product([0.0, 1.0], repeat=count):
        blocks = [
            replace(b, lower=b.lower.copy(), upper=b.upper.copy())
            for b in network.blocks
        ]
        for slope, (_, k, i) in zip(ends, chosen, strict=True):
            blocks[k].lower[i] = blocks[k].upper[i] = slope
        bound, spent, _ = solved(replace(network, blocks=tuple(blocks)), "auto")
        bounds.append(bound)
        seconds += spent
    return max(bounds), seconds


Make: TypeAlias = Callable[[Sequence[int], int], list[Array]]


def small(make: Make, sizes: Sequence[int]) -> Iterator[Record]:
    """Yield what each way closes on each instance."""
    for seed in range(_INSTANCES):
        weights = make(sizes, seed)
        truth = formal_constant(weights)
        plain, seconds, _ = solved(chain(weights), "auto")
        given = {"seed": seed, "truth": truth, "plain": plain}
        for way, tight, spent in _by_solvers(weights):
            yield {**given, "way": way, "tight": tight, "ratio": spent / seconds}
        for way, found in _by_programs(weights):
            ratio = found.seconds / found.plain_seconds
            given["plain"] = found.plain
            yield {**given, "way": way, "tight": found.tight, "ratio": ratio}


def _by_solvers(weights: Sequence[Array]) -> Iterator[tuple[str, float, float]]:
    bound, seconds, _ = solved(chain(weights), "triangles")
    yield "solver triangles", bound, seconds
    for count in (1, 2, 3):
        yield f"branching on {count}", *branched(weights, count)


def _by_programs(weights: Sequence[Array]) -> Iterator[tuple[str, dense_cuts.Found]]:
    deep = len(weights) == 3
    for name, corners in dense_cuts.CORNERS.items():
        if deep or "y" not in corners:
            yield f"SDP: {name}", dense_cuts.triangles(weights, corners)
    if deep:
        rows = [[weights[0], row[None]] for row in weights[1]]
        most = np.array([formal_constant(part) for part in rows])
        yield "SDP: exact magnitudes", dense_cuts.bounded(weights, most)


def shipped(name: str) -> Iterator[Record]:
    """Yield what triangles close on outputs, and differences of outputs, of a model."""
    network = importer.load(_MODELS / f"digits_{name}.onnx").sectors()
    count, given = network.output.size, network.output.terms
    rows = [*np.eye(count), *(np.eye(count) - np.roll(np.eye(count), 1, axis=1))]
    for number, row in enumerate(rows):
        terms = {j: compose(Dense(row[None]), A) for j, A in given.items()}
        yield _against_patterns(number, replace(network, output=LinearMap(1, terms)))


def wide(sizes: Sequence[int]) -> Iterator[Record]:
    """Yield what triangles close on random networks of the size of images."""
    for seed in range(_WIDE_INSTANCES):
        yield _against_patterns(seed, chain(gaussian(sizes, seed)))


def _against_patterns(number: int, network: SectorNetwork) -> Record:
    plain, seconds, solution = solved(network, "auto")
    tight, spent, _ = solved(network, "triangles")
    reduced = reduce(network).network
    truth, _ = largest_pattern(reduced, _INF, 0, solution.vectors)
    way, ratio = "solver triangles", spent / seconds
    given = {"seed": number, "truth": truth, "plain": plain}
    return {**given, "way": way, "tight": tight, "ratio": ratio}


def summary(records: Sequence[Record]) -> list[str]:
    """Return the lines of a table: medians over the instances that have a gap."""
    lines = [
        "| family | instances | gap | way | closed: median | least quarter | time |",
        "| ------ | --------: | --: | --- | -------------: | ------------: | ---: |",
    ]
    for family, way in dict.fromkeys((r["family"], r["way"]) for r in records):
        group = [r for r in records if (r["family"], r["way"]) == (family, way)]
        group = [r for r in group if r["plain"] / r["truth"] - 1 > _LEAST_GAP]
        if not group:
            continue
        gaps = [r["plain"] / r["truth"] - 1 for r in group]
        shares = [(r["plain"] - r["tight"]) / (r["plain"] - r["truth"]) for r in group]
        ratios = [r["ratio"] for r in group]
        lines.append(
            f"| {family} | {len(group)} | {np.median(gaps):.2%} | {way} "
            f"| {np.median(shares):.0%} | {np.quantile(shares, 0.25):.0%} "
            f"| {np.median(ratios):.1f} |"
        )
    return lines


def _shortened(record: Record) -> Record:
    """Return a record with nine digits of its numbers, for a smaller file."""
    return {
        name: float(f"{value:.9g}") if isinstance(value, float) else value
        for name, value in record.items()
    }


def families() -> dict[str, Callable[[], Iterator[Record]]]:
    """Return what makes the records of each family."""
    found: dict[str, Callable[[], Iterator[Record]]] = {
        f"digits_{name}": partial(shipped, name) for name in _SHIPPED
    }
    for name, sizes in _SMALL.items():
        make = trained if name.startswith("trained") else gaussian
        found[name] = partial(small, make, sizes)
    return found | {name: partial(wide, sizes) for name, sizes in _WIDE.items()}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("chosen", nargs=-1, type=click.Choice(list(families())))
def main(folder: Path, chosen: Sequence[str]) -> None:
    """Run some families, or all; those of earlier runs stay in FOLDER's files."""
    folder.mkdir(parents=True, exist_ok=True)
    header, file = machine.describe(), folder / "results.jsonl"
    old = file.read_text().splitlines()[1:] if file.exists() else []
    records = [json.loads(line) for line in old]
    # The first solve of a process loads libraries.
    solved(chain(gaussian((4, 4, 1), 0)), "triangles")
    for family, make in families().items():
        if chosen and family not in chosen:
            continue
        records = [record for record in records if record["family"] != family]
        for record in make():
            # No bound below the truth, up to the accuracy of the dense SDPs.
            assert record["tight"] >= record["truth"] * (1 - 1e-5), record
            records.append({"family": family, **_shortened(record)})
            print(json.dumps(records[-1]), flush=True)
        lines = [json.dumps(line) for line in [header, *records]]
        file.write_text("\n".join(lines) + "\n")
        made = f"- {header['date']}, commit {header['commit'] or 'unknown'}"
        head = f"{made}; {header['cpu']}, {header['threads']} threads"
        text = [head, "- time: that of the way, over that of the relaxation alone", ""]
        (folder / "results.md").write_text("\n".join([*text, *summary(records)]) + "\n")


if __name__ == "__main__":
    main()
