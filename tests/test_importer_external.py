"""Tensors in other files: what is read, and every way to misuse it."""

import hashlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from importer_models import build, node, weights
from importer_refusals import assert_wrong
from onnx import ModelProto, TensorProto, numpy_helper, save_model
from onnx.external_data_helper import load_external_data_for_model

import geolip
from geolip.importer import load, load_with_hash

pytestmark = pytest.mark.skipif(
    os.open not in os.supports_dir_fd, reason="needs folders as descriptors"
)

W = weights(0, 3, 2)
DATA = W.tobytes()
Entries = dict[str, str]


def external_model(entries: Entries) -> ModelProto:
    """Return a model whose weights are in the file that these entries describe."""
    model = build([node("MatMul", ["x", "w"], ["y"])], [1, 3], {"w": W})
    outside(model.graph.initializer[0], entries)
    return model


def outside(tensor: TensorProto, entries: Entries) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the model's folder, beside a private file that only a link leads to."""
    (tmp_path / "private").write_bytes(DATA)
    (tmp_path / "models" / "data").mkdir(parents=True)
    (tmp_path / "models" / "w").write_bytes(DATA)
    return tmp_path / "models"


def saved(folder: Path, model: ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def assert_weights(path: Path) -> None:
    (operator,) = load(path).output.terms.values()
    np.testing.assert_array_equal(operator.dense(), W.T.astype(float))


# What is read -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"length": "24"},
        {"offset": "0", "length": "24"},
        {"checksum": hashlib.sha1(DATA).hexdigest()},
        {"checksum": hashlib.sha1(DATA).hexdigest().upper()},
        # CVE-2026-34445: what no reader knows sets nothing.
        {"__class__": "str", "basepath": "/etc", "__dict__": "{}", "": "0"},
    ],
    ids=str,
)
def test_read_beside_the_model(folder: Path, entries: Entries) -> None:
    assert_weights(saved(folder, external_model({"location": "w", **entries})))


@pytest.mark.parametrize(
    "location", ["./w", "data/w w", "data//w\n", "data/\\w", "C:w"]
)
def test_odd_names_below_the_folder(folder: Path, location: str) -> None:
    (folder / location).write_bytes(DATA)
    assert_weights(saved(folder, external_model({"location": location})))


def test_in_the_middle_of_a_file(folder: Path) -> None:
    (folder / "w").write_bytes(b"before" + DATA + b"after")
    entries = {"location": "w", "offset": "6", "length": "24"}
    assert_weights(saved(folder, external_model(entries)))


def test_the_hash_covers_the_data_and_is_as_of_the_merged_model(folder: Path) -> None:
    model = external_model({"location": "w"})
    path = saved(folder, model)
    _, before = load_with_hash(path)
    load_external_data_for_model(model, str(folder))
    whole = model.SerializeToString(deterministic=True)
    assert before == hashlib.sha256(whole).hexdigest()
    (folder / "w").write_bytes((2 * W).tobytes())
    assert load_with_hash(path)[1] != before


def test_in_an_attribute(folder: Path) -> None:
    tensor = numpy_helper.from_array(W)
    outside(tensor, {"location": "w"})
    nodes = [
        node("Constant", [], ["w"], value=tensor),
        node("MatMul", ["x", "w"], ["y"]),
    ]
    path = saved(folder, build(nodes, [1, 3]))
    assert_weights(path)
    before = load_with_hash(path)[1]
    (folder / "w").write_bytes((2 * W).tobytes())
    assert load_with_hash(path)[1] != before


def test_as_onnx_saves_it(tmp_path: Path) -> None:
    model = build([node("MatMul", ["x", "w"], ["y"])], [1, 3], {"w": W})
    path = tmp_path / "model.onnx"
    save_model(model, path, save_as_external_data=True, location="w", size_threshold=0)
    assert_weights(path)


def test_parsers_that_have_crashed_or_led_out_are_not_called() -> None:
    """ONNX's downloads, checker, shape inference, inliner and readers of files."""
    names = "hub checker shape_inference inliner external_data_helper load load_model"
    for path in Path(geolip.__file__).parent.rglob("*.py"):
        for name in names.split():
            used = re.search(rf"onnx(\.| import [\w, ]*){name}\b", path.read_text())
            assert not used, (path, name)


# What is refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        "../private",  # CVE-2022-25882
        "data/../../private",  # CVE-2024-27318
        "data/../w",
        "..",
        ".",
        "",
        "{outside}",
        "//{outside}",
    ],
)
def test_a_location_that_leads_out(folder: Path, location: str) -> None:
    location = location.format(outside=folder.parent / "private")
    path = saved(folder, external_model({"location": location}))
    assert_wrong(path, "tensor 'w'", repr(location), "below the model's folder")


def symlink(folder: Path) -> str:
    (folder / "link").symlink_to(folder.parent / "private")
    return "link"


def symlink_inside(folder: Path) -> str:
    (folder / "link").symlink_to("w")
    return "link"


def parent_symlink(folder: Path) -> str:
    (folder / "link").symlink_to(folder.parent)
    return "link/private"


def hard_link(folder: Path) -> str:
    (folder / "link").hardlink_to(folder.parent / "private")
    return "link"


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return "pipe"


def a_folder(folder: Path) -> str:
    return "data"


def missing(folder: Path) -> str:
    return "data/missing"


def through_a_file(folder: Path) -> str:
    return "w/w"


def very_long(folder: Path) -> str:
    return "w" * 10**5


def with_nul(folder: Path) -> str:
    return "w\0.png"


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (symlink, "symbolic link"),  # CVE-2026-27489
        (symlink_inside, "symbolic link"),
        (parent_symlink, "symbolic link"),  # CVE-2026-34447
        (hard_link, "of one name"),  # CVE-2026-34446
        (pipe, "regular file"),
        (a_folder, "regular file"),
        (missing, "No such file"),
        (through_a_file, "no folder"),
        (very_long, "too long"),
        (with_nul, "null byte"),
    ],
)
def test_what_is_no_plain_file(
    folder: Path, make: Callable[[Path], str], part: str
) -> None:
    path = saved(folder, external_model({"location": make(folder)}))
    assert_wrong(path, "tensor 'w'", part)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a device file")
def test_a_device() -> None:
    """Which, as the file is in its folder, only its kind can refuse."""
    from geolip.importer.external import load_external_data

    model = external_model({"location": "zero", "length": "24"})
    with pytest.raises(Exception, match="regular file"):
        load_external_data(model, Path("/dev"))


@pytest.mark.parametrize(
    ("entries", "part"),
    [
        ({"offset": "-4"}, "not a number of bytes"),
        ({"length": "-1"}, "not a number of bytes"),
        ({"offset": "4.0"}, "not a number of bytes"),
        ({"length": "0x18"}, "not a number of bytes"),
        ({"offset": "9" * 30}, "not a number of bytes"),
        ({"offset": str(10**17)}, "has 24 bytes"),
        ({"length": str(10**17)}, "has 24 bytes"),
        ({"offset": "4", "length": "24"}, "has 24 bytes"),
        ({"offset": "25"}, "has 24 bytes"),
        ({"length": "20"}, "20 bytes"),  # shorter than the dimensions say
        ({"length": "0"}, "0 bytes"),
        ({"checksum": hashlib.sha1(b"").hexdigest()}, "checksum"),
        ({"checksum": ""}, "checksum"),
    ],
    ids=str,
)
def test_wrong_entries(folder: Path, entries: Entries, part: str) -> None:
    path = saved(folder, external_model({"location": "w", **entries}))
    assert_wrong(path, "tensor 'w'", part)


def test_an_entry_that_is_given_twice(folder: Path) -> None:
    model = external_model({"location": "w"})
    model.graph.initializer[0].external_data.add(key="location", value="data")
    assert_wrong(saved(folder, model), "location is given twice")


def test_more_data_than_the_format_can_hold(folder: Path) -> None:
    """Such as the same gigabytes over and over, here of a file without content."""
    with (folder / "w").open("wb") as file:
        file.truncate(2**40)
    entries = {"location": "w", "length": str(2**31)}
    assert_wrong(saved(folder, external_model(entries)), "more than 2147483647 bytes")
