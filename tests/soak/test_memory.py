"""What the daemon takes with every model: after the start, after use, and at its worst moment."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mqtt_help import eventually, report

pytestmark = pytest.mark.soak

ROOT = "edgeasr/den"
LAPS = 3
MOST_MB = 215.0  # the aim is 200; docs/RELIABILITY.md tells how far we are


def figures(pid: int) -> dict[str, float]:
    """Return MB resident now and at most since the peak was last reset."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = {name: line.split()[1] for line in lines for name in ("VmRSS", "VmHWM")
                 if line.startswith(name)}  # fmt: skip
    return {name: int(size) * 1024 / 1e6 for name, size in kilobytes.items()}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone tells")
def test_the_daemon_stays_small(tmp_path, broker, other, recordings):
    sound, config = tmp_path / "sound", tmp_path / "edgeasr.toml"
    config.write_text(
        f'[site]\nname = "den"\n[audio]\nsource = "fifo:{sound}"\nstall_s = 60.0\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n[state]\nfolder = "{tmp_path}/state"\n'
    )
    pause = np.zeros(32_000, np.int16)
    words = ("alexa-meant", "computer-brother", "jarvis-glasses")
    pcm = np.concatenate([part for word in words for part in (recordings[word], pause)])
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeasr", "run", "--config", str(config)],
        stderr=subprocess.DEVNULL, env=dict(os.environ),
    )  # fmt: skip
    try:
        other.wait(f"{ROOT}/status", within_s=120)
        assert eventually(sound.exists, within_s=60)
        start = figures(process.pid)
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        for lap in range(1, LAPS + 1):
            with sound.open("wb") as fifo:
                fifo.write(pcm.tobytes())
            other.wait(f"{ROOT}/translation/fr", count=len(words) * lap, within_s=300)
        used = figures(process.pid)
    finally:
        process.kill()
        process.wait()
    report(f"MB: {start['VmRSS']:.0f} after the start ({start['VmHWM']:.0f} while loading), "
           f"{used['VmRSS']:.0f} after {LAPS * len(words)} utterances, "
           f"{used['VmHWM']:.0f} at most in them")  # fmt: skip
    assert used["VmHWM"] < MOST_MB
    assert len(other.bodies(f"{ROOT}/transcript")) == len(words) * LAPS
