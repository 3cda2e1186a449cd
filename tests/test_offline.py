"""Nothing leaves the house, and nothing is left in it."""

import os
import subprocess
import sys
from pathlib import Path

_LOAD = """
import os, time
from edgeasr.loading import load_wake
model = load_wake()
time.sleep(0.3)
print(len(os.listdir("/proc/self/task")))
"""


def test_onnxruntime_reports_to_nobody(tmp_path):
    """Its telemetry writes an identifier to the home folder and starts threads of its own."""
    environment = {
        **os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": str(Path(__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    shown = subprocess.run(
        [sys.executable, "-c", _LOAD], env=environment, capture_output=True, text=True, check=True
    )
    assert [str(path) for path in tmp_path.rglob("*") if path.is_file()] == []
    assert "telemetry" not in shown.stderr
    assert int(shown.stdout) == 1
