"""`geolip verify` and `certify --certificate`: what they print, write and return."""

import errno
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runs import FC, MODELS, one_line, refused, succeeded

from geolip.certificate import Certificate
from geolip.files import write_whole

OTHER = str(MODELS / "digits_fc3.onnx")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("certificates") / "c.json")
    succeeded("certify", FC, "--certificate", path)
    return path


def test_what_certify_writes_is_accepted(certificate):
    text = succeeded("verify", FC, certificate)
    assert text.startswith("accepted: Let F be the function")
    assert "Checked by exact integer arithmetic." in text
    assert "rigorous-float" in succeeded("verify", FC, certificate, "--float")
    verdict = json.loads(succeeded("verify", FC, certificate, "--json"))
    assert verdict["accepted"] is True
    assert verdict["schema"] == "geolip.verdict/1"
    assert verdict["bound"] == Certificate.load(certificate).bound
    assert verdict["claim"] in text


def test_exact_is_what_the_report_says(tmp_path):
    path = str(tmp_path / "c.json")
    report = json.loads(
        succeeded("certify", FC, "--exact", "--certificate", path, "--json")
    )
    assert report["trust"] == "exact"
    assert "certificate" not in report
    assert Certificate.load(path).trust == "exact"
    assert "exact integer arithmetic" in Certificate.load(path).claim


def test_refusals_exit_with_four(certificate, tmp_path):
    message = one_line(refused(4, "verify", OTHER, certificate))
    assert "another model" in message
    content = json.loads(Path(certificate).read_text())
    worst = max(content["proofs"], key=lambda proof: float.fromhex(proof["bound"]))
    smaller = (float.fromhex(worst["bound"]) * 0.999).hex()
    damaged = tmp_path / "damaged.json"
    damaged.write_text(Path(certificate).read_text().replace(worst["bound"], smaller))
    message = one_line(refused(4, "verify", FC, str(damaged)))
    assert "smaller than what is proved" in message
    damaged.write_text("{")
    assert "not valid JSON" in one_line(refused(4, "verify", FC, str(damaged)))


def test_wrong_usage_exits_with_two(certificate, tmp_path):
    refused(2, "verify", FC, str(tmp_path / "missing.json"))
    refused(2, "verify", str(tmp_path / "missing.onnx"), certificate)
    refused(2, "verify", FC, str(tmp_path))
    refused(2, "certify", FC, "--certificate", str(tmp_path / "no" / "c.json"))


def test_a_full_disk_leaves_what_was_there(certificate, tmp_path, monkeypatch):
    path = tmp_path / "c.json"
    path.write_text("mine")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    result = Certificate.load(certificate)
    with pytest.raises(Exception, match="No space left"):
        result.save(path)
    assert path.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.json"]


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    """Killed at random moments while it writes over and over."""
    path = tmp_path / "c.json"
    write_whole(path, "0" * 300_000)
    for attempt in range(12):
        writer = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from pathlib import Path\n"
                "from geolip.files import write_whole\n"
                "print('ready', flush=True)\n"
                "for i in range(10**6):\n"
                "    write_whole(Path(sys.argv[1]), str(i % 10) * 300_000)",
                str(path),
            ],
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.003 * attempt)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        text = path.read_text()
        assert len(text) == 300_000
        assert len(set(text)) == 1
