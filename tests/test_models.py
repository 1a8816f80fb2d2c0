"""The shipped networks: what they are said to be, and what all solvers say of them."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from geolip import certify, importer

FOLDER = Path(__file__).parent.parent / "models"
MODELS = sorted(FOLDER.glob("*.onnx"))


def test_there_are_five_kinds():
    names = {path.stem for path in MODELS}
    kinds = {
        "digits_fc",
        "digits_fc3",
        "digits_conv",
        "digits_resnet",
        "digits_sigmoid",
    }
    assert names >= kinds


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_readme_has_its_hash(path):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_evaluates_like_onnxruntime(path):
    network = importer.load(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    X = random.uniform(-1, 2, (32, *network.input_shape[1:])).astype(np.float32)
    (expected,) = session.run(None, {network.input_name: X})
    found = network.evaluate(X.reshape(32, -1).T.astype(float)).T
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_certifies(path, norm):
    rows = [0, 3] if norm == "inf" else "largest"
    report = certify(path, norm, rows=rows, accuracy=1e-3)
    for output in report.outputs:
        assert output.lower_bound <= output.fgl_lower_bound <= output.bound
        assert output.gap is not None
        assert output.gap <= 1.1e-3
        assert output.source == {"inf": "geolip", "2": "lipsdp"}[norm]


SLOW = pytest.mark.slow


@pytest.mark.parametrize("solver", ["scs", "clarabel"])
@pytest.mark.parametrize(
    ("name", "norm"),
    [
        ("digits_fc", "inf"),
        pytest.param("digits_fc", "2", marks=SLOW),
        pytest.param("digits_fc3", "inf", marks=SLOW),
        pytest.param("digits_fc3", "2", marks=SLOW),
        pytest.param("digits_sigmoid", "inf", marks=SLOW),
        pytest.param("digits_sigmoid", "2", marks=SLOW),
    ],
)
def test_solvers_agree(name, norm, solver):
    rows = [1] if norm == "inf" else "largest"
    path = FOLDER / f"{name}.onnx"
    ours = certify(path, norm, rows=rows, accuracy=1e-6)
    # SCS's tolerance is on residuals, which deep networks amplify in the bound.
    asked = {"scs": 1e-6, "clarabel": 1e-5}[solver]
    theirs = certify(
        path, norm, rows=rows, accuracy=asked, solver=solver, time_limit=60
    )
    assert theirs.bound == pytest.approx(ours.bound, rel=1e-3)
    assert theirs.relaxation_value == pytest.approx(ours.relaxation_value, rel=1e-3)
