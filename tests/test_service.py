"""The service files and scripts, judged by systemd and the shell themselves."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNITS = [ROOT / "systemd" / "edgeasr.service", ROOT / "systemd" / "user" / "edgeasr.service"]
SCRIPTS = [
    "deploy/install.sh", "deploy/deb/build.sh", "deploy/deb/postinst", "deploy/deb/prerm",
    "deploy/deb/postrm", "deploy/mosquitto/make-certificates",
]  # fmt: skip


@pytest.fixture
def analyze():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: sudo apt install systemd")

    def run(*arguments):
        return subprocess.run(
            ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
        )

    return run


def test_exposure_is_at_most_1_7(analyze):
    shown = analyze("security", "--offline=true", "--no-pager", str(UNITS[0])).stdout
    exposure = re.search(r"Overall exposure level for edgeasr.service: ([\d.]+)", shown)
    assert float(exposure.group(1)) <= 1.7


@pytest.mark.parametrize("unit", UNITS, ids=["system", "user"])
def test_verify_finds_nothing(analyze, unit, tmp_path, monkeypatch):
    copy = tmp_path / unit.name
    # The program is not installed where the tests run.
    text = re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
    copy.write_text(re.sub(r"^Documentation=.*$", "", text, flags=re.MULTILINE))
    mode = ["--user"] if unit.parent.name == "user" else []
    if mode:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    shown = analyze("verify", *mode, "--man=no", str(copy))
    assert shown.stderr == ""
    assert shown.returncode == 0


def test_the_unit_is_ready_only_when_told_and_watched():
    text = UNITS[0].read_text()
    for line in ("Type=notify", "WatchdogSec=30s", "DynamicUser=yes", "StateDirectory=edgeasr",
                 "DeviceAllow=char-alsa rw", "LoadCredential=mqtt-password:"):  # fmt: skip
        assert line in text


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_executable_shell(script):
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(path)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(path)], check=True)
