"""Programs of others that tests run beside edgeasr; `make peers` installs them."""

import os
import sys
from pathlib import Path

import pytest

_PLACES = {
    "WYOMING_OPENWAKEWORD": "openwakeword/bin/wyoming-openwakeword",
    "NODE_RED": "node-red/node_modules/node-red/red.js",
    "HOME_ASSISTANT_PYTHON": "homeassistant/bin/python",
}


def peer(variable: str) -> str:
    """Return the path of a program; an environment variable of that name goes first."""
    path = os.environ.get(variable) or str(Path(sys.prefix) / _PLACES[variable])
    if not Path(path).exists():
        pytest.skip(f"not installed: `make peers`, or set {variable} to its path")
    return path
