"""Programs of others that tests run beside edgeasr; `make peers` installs them."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from mqtt_help import eventually, free_port

_PLACES = {
    "WYOMING_OPENWAKEWORD": "openwakeword/bin/wyoming-openwakeword",
    "NODE_RED": "node-red/node_modules/node-red/red.js",
    "HOME_ASSISTANT": "homeassistant/bin/hass",
}


def peer(variable: str) -> str:
    """Return the path of a program; an environment variable of that name goes first."""
    path = os.environ.get(variable) or str(Path(sys.prefix) / _PLACES[variable])
    if not Path(path).exists():
        pytest.skip(f"not installed: `make peers`, or set {variable} to its path")
    return path


class RealHomeAssistant:
    """Home Assistant in another process."""

    def __init__(self, python: str, folder: Path, port: int) -> None:
        script = Path(__file__).with_name("home_assistant_core.py")
        self.process = subprocess.Popen(
            [python, str(script), str(folder), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert "LOADED" in self.process.stdout.readline()

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def state(self, entity: str) -> str | None:
        return self.ask(states=True).get(entity, {}).get("state")

    def becomes(self, entity: str, state: str) -> bool:
        return eventually(lambda: self.state(entity) == state)

    def call(self, domain: str, service: str, entity: str, **fields) -> None:
        answer = self.ask(call=[domain, service, {"entity_id": entity, **fields}])
        assert answer == {"ok": True}


class NodeRed:
    """Node-RED in another process, with the flow of `examples/`."""

    def __init__(self, program: str, folder: Path, port: int) -> None:
        flow = Path(__file__).parents[1] / "examples" / "node-red-flow.json"
        text = flow.read_text().replace('"1883"', f'"{port}"').replace("/kitchen/", "/hall/")
        folder.mkdir()
        (folder / "flow.json").write_text(text)
        self.port = free_port()
        self.process = subprocess.Popen(
            ["node", program, "-u", str(folder), "-p", str(self.port), "flow.json"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip

    def press(self, node: str) -> None:
        """Press the button of an inject node."""
        url = f"http://127.0.0.1:{self.port}/inject/{node}"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=60):
            pass
