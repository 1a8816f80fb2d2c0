"""What a model consists of: the content of ``geolip inspect``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from geolip.bounds.structured_norm import induced_norms
from geolip.importer import Fate
from geolip.linear import Composition, Convolution, Dense, LinearOperator, Sparse, Sum
from geolip.network import Network

SCHEMA = "geolip.inspection/1"


def describe(network: Network, fates: Sequence[Fate] = ()) -> dict[str, Any]:
    """Return the network's layers as plain data.

    Returns
    -------
    dict
        ``input`` and ``output`` with name and shape; ``layers``, one for each
        activation block, with its number, name, shape, activation, sector and what it
        reads, by which map of how many stored numbers, with proved upper bounds of its
        l_1, l_2 and l_inf norms; ``nodes``, what becomes of those of the graph;
        ``note``, what to know about the input, or None.
    """
    names = {0: network.input_name}
    layers = []
    for k, block in enumerate(network.blocks, 1):
        names[k] = block.name
        lower, upper = block.activation.sector(block.size)
        layers.append(
            {
                "block": k,
                "name": block.name,
                "activation": block.activation.name,
                "shape": list(block.preactivation.shape),
                "neurons": block.size,
                "sector": [float(lower.min(initial=0)), float(upper.max(initial=0))],
                "reads": _reads(block.preactivation.terms, names),
            }
        )
    return {
        "schema": SCHEMA,
        "input": {"name": network.input_name, "shape": list(network.input_shape)},
        "layers": layers,
        "output": {
            "name": network.output_name,
            "shape": list(network.output_shape),
            "head": None if network.head is None else network.head.name,
            "reads": _reads(network.output.terms, names),
        },
        "neurons": network.neurons,
        "nodes": [asdict(fate) for fate in fates],
        "note": _note(network.input_shape),
    }


def _note(shape: tuple[int, ...]) -> str | None:
    if len(shape) < 2 or shape[0] == 1:
        return None
    return (
        f"the input has a fixed batch of {shape[0]}; the bound is about all {shape[0]} "
        "samples together, re-export with batch 1"
    )


def _reads(terms: Any, names: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "block": j,
            "name": names[j],
            "map": _words(operator),
            "numbers": _numbers(operator),
            "norms": induced_norms(operator),
        }
        for j, operator in sorted(terms.items())
    ]


def _numbers(operator: LinearOperator) -> int:
    """Return of how many stored numbers a map is made."""
    match operator:
        case Sparse(matrix=matrix):
            return 0 if operator.is_selection else int(matrix.nnz)
        case Dense(matrix=matrix):
            return int(matrix.size)
        case Convolution(kernel=kernel):
            return int(kernel.size)
        case Sum(terms=parts) | Composition(factors=parts):
            return sum(map(_numbers, parts))
    return 0


def _words(operator: LinearOperator) -> str:
    match operator:
        case Sparse(is_identity=True):
            return "identity"
        case Sparse(is_selection=True):
            m, n = operator.shape
            return f"selection {m} x {n}"
        case Sum(terms=terms):
            return " + ".join(map(_words, terms))
        case Composition(factors=factors):
            words = [
                f"({_words(factor)})" if isinstance(factor, Sum) else _words(factor)
                for factor in factors
                if not isinstance(factor, Sparse)
            ]
            return " after ".join(words) or operator.describe()
    return operator.describe()


def table(network: Network, fates: Sequence[Fate] = ()) -> str:
    """Return the same as text, one line a layer, and the note if there is one."""
    content = describe(network, fates)
    heads = ("numbers", "l_1", "l_2", "l_inf")
    rows = [("block", "name", "shape", "activation", "sector", "reads", *heads)]
    source = content["input"]
    shape = _shape(source["shape"])
    rows.append(("0", source["name"], shape, "input", "", "", *[""] * len(heads)))
    for layer in content["layers"]:
        low, high = layer["sector"]
        rows.append(
            (
                str(layer["block"]),
                layer["name"],
                _shape(layer["shape"]),
                layer["activation"],
                f"[{low:.4g}, {high:.4g}]",
                _sentence(layer["reads"]),
                *_figures(layer["reads"]),
            )
        )
    sink = content["output"]
    reads = (_sentence(sink["reads"]), *_figures(sink["reads"]))
    kind = sink["head"] or "output"
    rows.append(("", sink["name"], _shape(sink["shape"]), kind, "", *reads))
    lines = _aligned(rows)
    if counts := Counter(fate.kind for fate in fates):
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        lines.append(f"{len(fates)} nodes of the graph: {kinds}")
    lines.append(f"{content['neurons']} neurons")
    if content["note"]:
        lines.append(f"note: {content['note']}")
    return "\n".join(lines)


def refusals(fates: Sequence[Fate]) -> dict[str, Any]:
    """Return what is known of a model that is not supported as plain data."""
    return {"schema": SCHEMA, "nodes": [asdict(fate) for fate in fates]}


def nodes_table(fates: Sequence[Fate]) -> str:
    """Return what becomes of every node as text, one line each."""
    rows = [("node", "operator", "shape", "is", "because")]
    for fate in fates:
        shape = "" if fate.shape is None else _shape(list(fate.shape))
        rows.append((fate.name, fate.operator, shape, fate.kind, fate.reason or ""))
    return "\n".join(_aligned(rows))


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns of one width."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _figures(reads: list[dict[str, Any]]) -> list[str]:
    """Return the columns of numbers, an entry for each map that is read."""
    columns = [[str(read["numbers"]) for read in reads]]
    columns += [[f"{r['norms'][p]:.4g}" for r in reads] for p in ("1", "2", "inf")]
    return ["; ".join(column) for column in columns]


def _shape(shape: list[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _sentence(reads: list[dict[str, Any]]) -> str:
    return "; ".join(f"{read['block']}: {read['map']}" for read in reads) or "constant"
