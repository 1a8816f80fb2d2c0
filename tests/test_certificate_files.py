"""Files of certificates: read if they are whole, refused whatever else they are."""

import json
from pathlib import Path

import pytest
from certificates import certified, small
from hypothesis import given, settings
from hypothesis import strategies as st

from geolip import strict_json
from geolip.certificate import Certificate
from geolip.errors import RefusedCertificateError, UsageError


def content(seed: int = 1) -> dict:
    return certified(small(seed), "inf").as_dict()


SPOILED = {
    "not JSON": lambda text: text[:-9],
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "a number": lambda text: "1",
    "NaN": lambda text: text.replace('"index":0', '"index":NaN'),
    "Infinity": lambda text: text.replace('"index":0', '"index":-Infinity'),
    "a decimal": lambda text: text.replace('"index":0', '"index":0.0'),
    "true for one": lambda text: text.replace('"index":0', '"index":true'),
    "a huge integer": lambda text: text.replace('"index":0', '"index":' + "9" * 5000),
    "a duplicate key": lambda text: text.replace('{"bound"', '{"bound":"","bound"', 1),
    "an unknown key": lambda text: text.replace('{"bound"', '{"a":"","bound"', 1),
    "deep": lambda text: "[" * 100_000 + "]" * 100_000,
    "deep in place": lambda text: text.replace('"index":0', '"index":[[[[[]]]]]'),
    "another format": lambda text: text.replace("certificate/1", "certificate/2"),
    "another domain": lambda text: text.replace('"R^n"', '"[0,1]^n"'),
    "another trust": lambda text: text.replace('"rigorous-float"', '"perfect"'),
    "a decimal bound": lambda text: text.replace(
        '"method":', '"bound":"1.5","method":'
    ),
    "long hexadecimal": lambda text: text.replace("0x1.", "0x1.00000000000000000"),
    "a number too large": lambda text: text.replace("p+0", "p+9999"),
    "huge hexadecimal": lambda text: text.replace("p+", "p+99"),
    "upper case": lambda text: text.replace("0x1.", "0X1."),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_damaged_files_are_refused(spoil, tmp_path):
    path = tmp_path / "c.json"
    text = strict_json.canonical(content())
    path.write_text(text)
    Certificate.load(path)
    damaged = spoil(text)
    assert damaged != text
    path.write_text(damaged)
    with pytest.raises(RefusedCertificateError):
        Certificate.load(path)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_refused(data):
    with pytest.raises(RefusedCertificateError):
        Certificate.from_dict(strict_json.parse_bytes(data, "file"))


@given(st.integers(0, 10**9), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_changed_bytes_are_refused_or_mean_the_same(place, byte):
    """The claim repeats what matters; versions may be anything."""
    data = bytearray(strict_json.canonical(CONTENT).encode())
    data[place % len(data)] = byte
    try:
        found = Certificate.from_dict(strict_json.parse_bytes(bytes(data), "file"))
    except RefusedCertificateError:
        return
    assert found.claim == CONTENT["claim"]


CONTENT = content()


@pytest.mark.parametrize("key", sorted(CONTENT))
def test_every_key_is_needed(key):
    found = json.loads(json.dumps(CONTENT))
    del found[key]
    with pytest.raises(RefusedCertificateError, match=key):
        Certificate.from_dict(found)
    for wrong in (None, [], {}, "", 3, [[]], ["x"]):
        found[key] = wrong
        if (key, wrong) in (("versions", {}), ("slopes", [])):
            continue
        with pytest.raises(RefusedCertificateError):
            Certificate.from_dict(found)


def test_texts_full_of_escapes_are_read_quickly():
    """A quadratic search for brackets would take hours here."""
    data = b'{"a":"' + b'\\"' * 1_000_000 + b'["}'
    assert list(strict_json.parse_bytes(data, "file")) == ["a"]
    with pytest.raises(RefusedCertificateError):
        strict_json.parse_bytes(data[:-2], "file")


def test_large_and_missing_files_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "c.json"
    with pytest.raises(UsageError, match="is not a file"):
        Certificate.load(path)
    path.write_text(strict_json.canonical(content()))
    monkeypatch.setattr(strict_json, "LARGEST_FILE", 100)
    with pytest.raises(RefusedCertificateError, match="larger"):
        Certificate.load(path)


def test_a_file_that_cannot_be_read_is_one_error(tmp_path, monkeypatch):
    path = tmp_path / "c.json"
    path.write_text("{}")

    def broken(self, mode):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", broken)
    with pytest.raises(UsageError, match="cannot be read: Input/output error"):
        Certificate.load(path)


@pytest.mark.parametrize("factor", [0.5, 1 - 2.0**-52, 2.0])
def test_the_bound_is_the_largest_of_the_proofs(factor):
    """Also where the claim beside it says the right one."""
    found = json.loads(json.dumps(CONTENT))
    found["bound"] = (factor * float.fromhex(found["bound"])).hex()
    with pytest.raises(RefusedCertificateError, match="largest of the proofs"):
        Certificate.from_dict(found)
    with pytest.raises(RefusedCertificateError, match="largest of the proofs"):
        Certificate.from_dict({**CONTENT, "proofs": []})


@pytest.mark.parametrize("shape", [[-1], [1, -2], [True], ["1"], [None], [1.0], 3, {}])
def test_shapes_are_lists_of_sizes(shape):
    found = json.loads(json.dumps(CONTENT))
    found["input"]["shape"] = shape
    with pytest.raises(RefusedCertificateError, match="shape"):
        Certificate.from_dict(found)


def test_slopes_are_pairs_of_numbers():
    for slopes in ([["0x0.0p+0"]], [[3, "0x0.0p+0"]], [["0x0.0p+0", {}]], ["0x0.0p+0"]):
        found = json.loads(json.dumps(CONTENT))
        found["slopes"] = slopes
        with pytest.raises(RefusedCertificateError):
            Certificate.from_dict(found)


LARGEST = "0x1.fffffffffffffp+1023"


def test_numbers_are_the_floats_that_their_texts_are():
    assert strict_json.numbers([LARGEST, "-0x0.0p+0"]).tolist() == [
        float.fromhex(LARGEST),
        0.0,
    ]
    for text in ("0x1.8p+9999", "0x1.8p-9999", "0x1.80p+0", "0x1.8p+00", "-0x1p+0"):
        with pytest.raises(RefusedCertificateError):
            strict_json.numbers([text])
