"""A second checker of certificates, for small networks; it shares no code with geolip.

Everything is decided in fractions, by the theorem as it is written down; whatever goes
wrong in any way is refused. ``semantic_sha256`` is not looked at: which model is meant
is said by the hash of the file's bytes.

Source: docs/theory.md sections 1 to 5.
"""

import hashlib
import json
import re
from fractions import Fraction
from itertools import product
from pathlib import Path

import onnx
from independent_network import Network, RefusedError, need
from independent_theorem import needed, norm_product, proved

KEYS = "bound claim domain format input model output proofs slopes trust versions"
HEXADECIMAL = re.compile(r"-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}")
CLAIM = (
    "Let F be the function from tensor {!r} to tensor {!r} that the model {} computes "
    "when every stored parameter is read as the exact real number it encodes and every "
    "operator is evaluated in exact real arithmetic (inference mode). {}Then "
    "||F(x)-F(y)||_{} <= {} ||x-y||_{} for all x, y in R^n. Checked by {}. This is not "
    "a statement about any floating-point execution of the model."
)
TRUST = {
    "exact": "exact integer arithmetic",
    "rigorous-float": "IEEE-754 binary64 with a-priori error bounds",
}


def check(model_path, certificate_path):
    """Return True if a certificate proves what it says of a model, or refuse it.

    Models that need more than is known here are refused as well.
    """
    try:
        content = Path(model_path).read_bytes()
        text = Path(certificate_path).read_text("utf-8")
        top = json.loads(text, object_pairs_hook=_object)
        need(top["model"]["sha256"] == hashlib.sha256(content).hexdigest(), "the model")
        network = Network(onnx.load_model_from_string(content))
        _check_frame(top, network)
        for proof in top["proofs"]:
            _check_proof(proof, network, top)
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(repr(error)) from error
    return True


def _object(pairs):
    need(len(dict(pairs)) == len(pairs), "a key twice")
    return dict(pairs)


def _number(text):
    need(HEXADECIMAL.fullmatch(text), f"{text} is not a hexadecimal number")
    need(float.fromhex(text).hex() == text, f"{text} is not a float64")
    return Fraction(float.fromhex(text))


def _check_frame(top, network):
    """Check what is claimed, and of which network."""
    need({*top} == {*KEYS.split()}, "other keys")
    need(top["domain"] == "R^n", "another domain")
    need({*top["model"]} == {"sha256", "semantic_sha256"}, "other keys of the model")
    need(top["format"] == "geolip.certificate/1", "another format")
    for end, name in (("input", network.input), ("output", network.output)):
        known = {"name": name, "shape": [*network.tensors[name][0]]}
        need(top[end] == known | {"norm": top[end]["norm"]}, f"another {end}")
        need(top[end]["norm"] in ("1", "2", "inf"), "another norm")
    for layer, pair in zip(network.layers[1:], top["slopes"], strict=True):
        for mine, end in zip(network.sectors[layer[0]], pair, strict=True):
            # A single text stands for all neurons.
            ends = [end] * len(layer) if isinstance(end, str) else end
            need(ends == [float(mine).hex()] * len(layer), "other slopes")
    bounds = [_number(proof["bound"]) for proof in top["proofs"]]
    need(_number(top["bound"]) == max(bounds), "not the largest of the bounds")
    indices = [proof["index"] for proof in top["proofs"]]
    pieces, which = _pieces(network, top), ""
    need(len({*indices}) == len(indices), "a piece twice")
    need(all(type(i) is int or i is None for i in indices), "no index")
    need({*indices} <= pieces.keys(), "no such piece")
    outputs = len(network.tensors[network.output][1])
    moved = {pair for index in indices for pair in product(*pieces[index])}
    if len(moved) < outputs * len(network.layers[0]):
        need(top["output"]["norm"] == "inf" != "1" != top["input"]["norm"], "too few")
        which = f"F stands for its outputs {', '.join(map(str, indices))} alone. "
    norms = top["output"]["norm"], top["bound"], top["input"]["norm"]
    model = top["input"]["name"], top["output"]["name"], top["model"]["sha256"]
    claim = CLAIM.format(*model, which, *norms, TRUST[top["trust"]])
    need(top["claim"] == claim, "the claim says something else")


def _pieces(network, top):
    """Return of every piece that may be proved the outputs and the moving inputs.

    In l_inf, an output is a piece; from l_1, an input; from l_1 to l_inf, an output and
    an input, or an input with all outputs.
    """
    inputs, outputs = network.layers[0], [*network.tensors[network.output][1]]
    outputs = range(len(outputs))
    rows = [[i] for i in outputs] if top["output"]["norm"] == "inf" else [[*outputs]]
    columns = [[j] for j in inputs] if top["input"]["norm"] == "1" else [[*inputs]]
    pieces = [*product(rows, columns)]
    if len(rows) > 1 and top["input"]["norm"] == "1":
        pieces += [([*outputs], column) for column in columns]
    split = top["output"]["norm"] == "inf" or top["input"]["norm"] == "1"
    known = dict(enumerate(pieces)) if split else {}
    return known | ({None: pieces[0]} if len(rows) == len(columns) == 1 else {})


def _check_proof(proof, network, top):
    given, measured = top["input"]["norm"], top["output"]["norm"]
    bound, method, index = _number(proof["bound"]), proof["method"], proof["index"]
    kept, inputs = _pieces(network, top)[index]
    every = [*network.tensors[network.output][1].values()]
    outputs, rows = [every[i] for i in kept], network.rows
    parts = {"tau", "d"} if method == "multipliers" else set()
    parts |= {"triangles"} & {*proof} if parts else set()
    need({*proof} == {"index", "bound", "method"} | parts, "other keys of a proof")
    need(bound >= 0, "a negative bound")
    if method == "multipliers":
        sectors, layers = dict(enumerate(network.sectors)), network.layers[1:]
        if measured == "1" and len(outputs) > 1:
            # The sum of the outputs' absolute values, each a slope from -1 to 1 times.
            last = range(len(rows), len(rows) + len(outputs))
            rows, layers = [*rows, *outputs], [*layers, last]
            sectors |= dict.fromkeys(last, (-1, 1))
            outputs = [dict.fromkeys(last, Fraction(1))]
        alone = given == "1" and index is not None
        layers = [inputs if alone else network.layers[0], *layers]
        need([*map(len, [proof["tau"], *proof["d"]])] == [*map(len, layers)], "sizes")
        texts = [text for part in [proof["tau"], *proof["d"]] for text in part]
        places = [c for layer in layers for c in layer]
        multipliers = dict(zip(places, map(_number, texts), strict=True))
        need(min(multipliers.values()) >= 0, "a negative multiplier")
        rows, outputs = needed(rows, outputs, inputs)
        sectors = {c: sectors[c] for c in rows if c not in inputs}
        triangles = _triangles(proof.get("triangles"), layers[0], rows)
        dual = multipliers, triangles
        need(proved(rows, outputs, sectors, dual, given, bound), "not proved")
        return
    rows, outputs = needed(rows, outputs, inputs)
    if method == "constant":
        need(not any(outputs), "not constant")
    else:
        need(method == "norm product", "another method")
        least = norm_product(network, rows, outputs, given, measured)
        need(bound >= least, "a larger norm product")


def _triangles(content, inputs, rows):
    """Return the triangles as pairs of a weight and signs by coordinate."""
    if content is None:
        return []
    need({*content} == {"corners", "signs", "weights"}, "other keys of triangles")
    corners, signs = content["corners"], [_number(text) for text in content["signs"]]
    need(all(type(corner) is int and corner >= 0 for corner in corners), "no corner")
    corners = [inputs[corner] for corner in corners]
    need(all(corner in rows for corner in corners), "a corner that does not matter")
    need({*signs} <= {1, -1}, "no sign")
    found = []
    for k, text in enumerate(content["weights"]):
        part = slice(3 * k, 3 * k + 3)
        b = dict(zip(corners[part], signs[part], strict=True))
        need(len(b) == 3, "a triangle has three corners")
        need(_number(text) > 0, "a weight that is not positive")
        found.append((_number(text), b))
    need(len(corners) == len(signs) == 3 * len(found), "corners left over")
    return found
