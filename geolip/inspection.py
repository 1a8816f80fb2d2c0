"""What a model consists of: the content of ``geolip inspect``."""

from typing import Any

from geolip.linear import Composition, LinearOperator, Sparse, Sum
from geolip.network import Network


def describe(network: Network) -> dict[str, Any]:
    """Return the network's layers as plain data.

    Returns
    -------
    dict
        ``input`` and ``output`` with name and shape; ``layers``, one for each
        activation block, with its number, name, shape, activation, sector and what it
        reads; ``note``, what to know about the input, or None.
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
        "input": {"name": network.input_name, "shape": list(network.input_shape)},
        "layers": layers,
        "output": {
            "name": network.output_name,
            "shape": list(network.output.shape),
            "reads": _reads(network.output.terms, names),
        },
        "neurons": network.neurons,
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
        {"block": j, "name": names[j], "map": _words(operator)}
        for j, operator in sorted(terms.items())
    ]


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


def table(network: Network) -> str:
    """Return the same as text, one line a layer, and the note if there is one."""
    content = describe(network)
    rows = [("block", "name", "shape", "activation", "sector", "reads")]
    source = content["input"]
    rows.append(("0", source["name"], _shape(source["shape"]), "input", "", ""))
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
            )
        )
    sink = content["output"]
    reads = _sentence(sink["reads"])
    rows.append(("", sink["name"], _shape(sink["shape"]), "output", "", reads))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.append(f"{content['neurons']} neurons")
    if content["note"]:
        lines.append(f"note: {content['note']}")
    return "\n".join(lines)


def _shape(shape: list[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _sentence(reads: list[dict[str, Any]]) -> str:
    return "; ".join(f"{read['block']}: {read['map']}" for read in reads) or "constant"
