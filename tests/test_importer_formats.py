"""Files of weights: what they stand for, and what is refused in them."""

import hashlib
import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from weight_files import WRITERS, mat, nnet, npz, numbered_mat

import geolip
from geolip.certificate import Certificate
from geolip.checking import check
from geolip.errors import ModelError, RefusedCertificateError, UsageError
from geolip.execution import forward_error
from geolip.importer import load, load_with_hash, read
from geolip.importer.formats import format_of, formats

RANDOM = np.random.default_rng(0)
SIZES = ((4, 3), (5, 4), (2, 5))
WEIGHTS = [RANDOM.standard_normal(shape) for shape in SIZES]
BIASES = [RANDOM.standard_normal(m) for m, _ in SIZES]


def values(weights: Any, biases: Any, x: Any) -> Any:
    for k, W in enumerate(weights):
        x = (np.maximum(x, 0) if k else x) @ W.T + (biases[k] if biases else 0)
    return x


def test_every_format_is_written_by_a_test() -> None:
    assert {f.ending for f in formats()} == {ending for ending, _ in WRITERS.values()}


@pytest.mark.parametrize("biases", [BIASES, []], ids=["biases", "no biases"])
@pytest.mark.parametrize("kind", WRITERS)
def test_weights(kind: str, biases: Any, tmp_path: Path) -> None:
    ending, write = WRITERS[kind]
    content = write(WEIGHTS, biases)
    path = tmp_path / f"Weights{ending.upper()}"
    path.write_bytes(content)
    points = RANDOM.standard_normal((9, 3))
    # By its ending, and by its first bytes.
    for model in (path, str(path), content):
        network, sha256 = load_with_hash(model)
        assert sha256 == hashlib.sha256(content).hexdigest()
        maps = [*(block.preactivation for block in network.blocks), network.output]
        for W, layer in zip(WEIGHTS, maps, strict=True):
            (operator,) = layer.terms.values()
            np.testing.assert_array_equal(operator.dense(), W)
        expected = values(WEIGHTS, biases, points)
        np.testing.assert_allclose(network.evaluate(points.T).T, expected, atol=1e-12)


@pytest.mark.parametrize("kind", WRITERS)
def test_certificate(kind: str, tmp_path: Path) -> None:
    ending, write = WRITERS[kind]
    path, proof = tmp_path / f"weights{ending}", tmp_path / "proof.json"
    path.write_bytes(write(WEIGHTS, BIASES))
    report = geolip.certify(path, exact=True)
    assert report.trust == "exact"
    assert report.bound == geolip.certify(WEIGHTS).bound
    assert report.certificate is not None
    report.certificate.save(proof)
    assert check(path, Certificate.load(proof)).bound == report.bound
    path.write_bytes(write([WEIGHTS[0] * (1 + 2**-50), *WEIGHTS[1:]], BIASES))
    with pytest.raises(RefusedCertificateError, match="weights differ"):
        check(path, Certificate.load(proof))


@pytest.mark.parametrize("kind", WRITERS)
def test_no_float_execution(kind: str) -> None:
    content = WRITERS[kind][1](WEIGHTS, BIASES)
    with pytest.raises(UsageError, match="is of an ONNX graph"):
        forward_error(content, (0, 1))


# Hostile and damaged files ----------------------------------------------------------


# Numbered variables of a MATLAB file stand one after the other, without a count.
@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "numbered mat"])
def test_truncated_files(kind: str, tmp_path: Path) -> None:
    ending, write = WRITERS[kind]
    content = write(WEIGHTS, [])
    path = tmp_path / f"half{ending}"
    # The last line of a text is a number, which may be cut like padding.
    for length in range(0, len(content) - 8, 7):
        path.write_bytes(content[:length])
        with pytest.raises(ModelError, match="half"):
            read(path)


@pytest.mark.parametrize("kind", WRITERS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_changed_bytes(kind: str, data: st.DataObject) -> None:
    """Whatever a file holds, it is a network or a `ModelError`."""
    content = bytearray(WRITERS[kind][1](WEIGHTS[:2], BIASES[:2]))
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    with suppress(ModelError):
        read(bytes(content))


def saved(**variables: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables)
    return file.getvalue()


def zipped(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


W, V = WEIGHTS[0], WEIGHTS[1]
CELL, NUMBERS = np.array([W, "text"], object), np.array([W, V], object)
HEADER = saved(W1=W)[:128]


def nested(depth: int) -> bytes:
    """Return cells within cells, on which SciPy's reader takes the process down."""
    flags = struct.pack("<IIII", 6, 8, 1, 0)
    rest = flags + struct.pack("<IIiiII", 5, 8, 1, 1, 1, 0)
    heads = [
        struct.pack("<II", 14, 48 * level - 8) + rest for level in range(depth, 0, -1)
    ]
    return HEADER + b"".join(heads)


def bomb(size: int) -> bytes:
    content = zlib.compress(bytes(size), 9)
    return HEADER + struct.pack("<II", 15, len(content)) + content


def zip_bomb() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, W1=np.zeros((6000, 6000)))
    return file.getvalue()


TEXT = nnet(WEIGHTS, BIASES).decode()

WRONG: dict[str, tuple[bytes, str]] = {
    "mat 7.3": (b"MATLAB 7.3 MAT-file".ljust(512), "-v7"),
    "mat 4": (b"MATLAB " + bytes(200), "version 5, 6 or 7"),
    "mat with text": (saved(W1="text"), "doubles or singles"),
    "mat with an object": (saved(W1={"a": 1.0}), "doubles or singles"),
    "mat with complex": (saved(W1=W * 1j), "complex"),
    "mat with sparse": (saved(W1=scipy.sparse.csc_array(W)), "doubles or singles"),
    "mat with three axes": (saved(W1=np.ones((2, 2, 2))), "shape"),
    "mat with a name": (saved(W1=W, lipschitz=3.0), "it holds 'lipschitz'"),
    "mat with a cell": (saved(W1=W, V=NUMBERS), r"cell arrays \['V'\]"),
    "mat of a mixed cell": (saved(weights=CELL), "doubles or singles"),
    "mat of no cell": (saved(weights=W), "it holds 'weights'"),
    "mat with biases too many": (mat([W], [*BIASES[:2]]), "1 weights, but 2 biases"),
    "mat twice": (saved(W1=W) + saved(W1=W)[128:], "two variables of one name"),
    "mat with gap": (saved(W1=W, W3=V), "without gaps"),
    "empty mat": (saved(), "it holds no weights"),
    "mat with NaN": (saved(W1=W * np.nan), "NaN"),
    "nested mat": (nested(100_000), "doubles or singles|ends within"),
    "mat bomb": (bomb(2**26 + 2), "expand"),
    "mat that does not fit": (mat([V, W], []), "columns"),
    "npz with pickle": (zipped(W1=np.array([{}], object)), "allow_pickle|pickle"),
    "npz with a name": (zipped(W1=W, kernel=V), "it holds 'kernel'"),
    "npz with gap": (zipped(W1=W, W3=V), "without gaps"),
    "npz from 2": (zipped(W2=W), "without gaps"),
    "npz with two names": (zipped(W1=W, W01=W), "number of another"),
    "npz with strange bias": (zipped(W1=W, b2=W[:, 0]), "without gaps"),
    "npz with long bias": (zipped(W1=W, b1=np.ones(5)), "bias 0 has shape"),
    "npz with complex": (zipped(W1=W * 1j), "real numbers"),
    "npz with large integers": (zipped(W1=np.array([[2**53 + 1]])), "from 2"),
    "npz with infinity": (zipped(W1=W * np.inf), "infinite"),
    "npz bomb": (zip_bomb(), "expand"),
    "empty npz": (zipped(), "."),
    "npz that does not fit": (npz([V, W], []), "columns"),
    "nnet with sizes": (TEXT.replace("3,4,5,2", "3,4,5,3").encode(), "2 outputs"),
    "nnet with a huge layer": (
        TEXT.replace("3,4,5,2", "3,4,9999999999,2").encode(),
        ".",
    ),
    "nnet with more": (TEXT.encode() + b"0.0,\n", "goes on"),
    "nnet with words": (TEXT.replace("0.5", "half").encode(), "half"),
    "nnet with NaN": (TEXT.replace(repr(float(W[0, 0])), "nan").encode(), "NaN"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files(case: str, tmp_path: Path) -> None:
    content, message = WRONG[case]
    ending = "." + next(kind for kind in ("mat", "npz", "nnet") if kind in case)
    path = tmp_path / f"wrong{ending}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_ending_decides() -> None:
    content = numbered_mat([W], [])
    for name, ending in (("a.mat", ".mat"), ("a.NPZ", ".npz"), ("a", ".mat")):
        found = format_of(Path(name), content)
        assert found is not None
        assert found.ending == ending
    assert format_of(Path("a.onnx"), content) is None
    assert format_of(Path("a.other"), b"\x08\x08") is None
