"""The examples run: the subscriber as it is, the Node-RED flow in Node-RED.

The Home Assistant automation is run by `test_homeassistant.py`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from mqtt_help import eventually

from edgeasr.commands import parse_command

EXAMPLES = Path(__file__).parents[1] / "examples"
TRANSCRIPT = {"site": "kitchen", "text": "turn off the light", "confidence": 0.93}


def test_the_subscriber_prints_what_is_said(broker, other):
    program = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "subscriber.py"), "127.0.0.1", str(broker.port)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        # Retained, since nothing tells when the program has subscribed.
        other.send("edgeasr/kitchen/transcript", TRANSCRIPT, retain=True)
        assert program.stdout.readline() == "kitchen said: turn off the light (93%)\n"
        said = {"site": "kitchen", "language": "fr", "text": "éteins", "confidence": 0.5}
        other.send("edgeasr/kitchen/translation/fr", said)
        assert program.stdout.readline() == "kitchen fr: éteins (50%)\n"
    finally:
        program.kill()


def test_sound_is_sent_in_blocks(broker, other):
    program = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "send_audio.py"), "127.0.0.1", str(broker.port), "attic"],
        stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        def heard():
            program.stdin.write(bytes(2560))
            program.stdin.flush()
            return len(other.bodies("edgeasr/attic/audio")) >= 3

        assert eventually(heard)  # what is said before it is connected is lost
        assert set(other.bodies("edgeasr/attic/audio")) == {bytes(2560)}
    finally:
        program.stdin.close()
        assert program.wait(60) == 0


def test_the_flow_is_wired_and_speaks_our_topics():
    nodes = {node["id"]: node for node in json.loads((EXAMPLES / "node-red-flow.json").read_text())}
    for node in nodes.values():
        for targets in node.get("wires", ()):
            assert set(targets) <= nodes.keys()
        if "broker" in node and node["type"].startswith("mqtt "):
            assert nodes[node["broker"]]["type"] == "mqtt-broker"
    topics = {node["topic"] for node in nodes.values() if node["type"] == "mqtt in"}
    assert topics == {"edgeasr/+/transcript", "edgeasr/+/translation/+"}
    (rule,) = nodes["edgeasr-command"]["rules"]
    command = re.fullmatch(r"edgeasr/kitchen/command/(\w+)", rule["to"]).group(1)
    assert parse_command(command, nodes["edgeasr-button"]["payload"].encode(), max_audio_bytes=1)


def test_the_flow_runs_in_node_red(node_red, other):
    lights = "home/kitchen/light/set"

    def switched() -> bool:
        other.send("edgeasr/kitchen/transcript", TRANSCRIPT)
        return eventually(lambda: other.bodies(lights), within_s=1)

    assert eventually(switched)
    assert set(other.bodies(lights)) == {b"OFF"}
    other.send("edgeasr/kitchen/transcript", {**TRANSCRIPT, "confidence": 0.2})
    other.send("edgeasr/kitchen/transcript", {**TRANSCRIPT, "text": "turn on the light"})
    assert eventually(lambda: b"ON" in other.bodies(lights))
    assert other.bodies(lights)[-1] == b"ON"
