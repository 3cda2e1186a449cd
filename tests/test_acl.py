"""The access rules in `deploy/mosquitto/`: each part does its work, and nobody another's."""

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import paho.mqtt.client as paho
import pytest
import soundfile
from mqtt_help import Mosquitto, Subscriber, eventually, script_runtime
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from test_runtime import Running

HERE = Path(__file__).parent
RULES = HERE.parent / "deploy" / "mosquitto" / "edgeasr.acl"
CONFIG = "homeassistant/device/edgeasr_den/config"


@pytest.fixture
def house(tmp_path):
    """A broker with the rules; it takes users at their word, where certificates prove them."""
    broker = Mosquitto(tmp_path, "allow_anonymous true", f"acl_file {RULES}")
    yield broker
    broker.kill()


@pytest.fixture
def automation(house):
    client = Subscriber(house.port, username="automation")
    yield client
    client.close()


@pytest.fixture
def kitchen(house):
    """Another site, that would like to do and hear everything."""
    client = Subscriber(house.port, username="kitchen", protocol=paho.MQTTv5)
    yield client
    client.close()


def test_a_site_does_its_work_and_no_other_can_do_it(
    tmp_path, monkeypatch, house, automation, kitchen
):
    script_runtime(monkeypatch)
    with Running(tmp_path, house.port, text='[mqtt]\nusername = "den"\n'):
        automation.wait(CONFIG)
        for topic in ("edgeasr/den/command/mute", "edgeasr/den/transcript", CONFIG, "x"):
            kitchen.send(topic, True)
        kitchen.send("edgeasr/kitchen/status", b"online")  # all before it have been judged
        automation.wait("edgeasr/kitchen/status")
        automation.send("homeassistant/status", b"online")
        automation.wait(CONFIG, count=2)  # it has read the birth message
        automation.send("edgeasr/den/command/listen")
        automation.wait("edgeasr/den/translation/fr")
        heard = {topic for topic, *_ in automation.messages}
        assert {"edgeasr/den/transcript", "edgeasr/den/homeassistant/last/transcript"} <= heard
        assert "x" not in heard
        assert b"true" not in {body for _, body, _ in automation.messages}
    allowed = {"edgeasr/den/status", "edgeasr/kitchen/status", "homeassistant/status"}
    assert eventually(lambda: b"offline" in kitchen.bodies("edgeasr/den/status"))
    assert {topic for topic, *_ in kitchen.messages} <= {*allowed, "edgeasr/den/bid"}
    with Running(tmp_path, house.port,
                 text='[mqtt]\nusername = "den"\n[homeassistant]\non = false\n'):  # fmt: skip
        assert eventually(lambda: automation.bodies(CONFIG)[-1] == b"")
        last = "edgeasr/den/homeassistant/last/transcript"
        assert eventually(lambda: automation.bodies(last)[-1] == b"")


def test_a_worker_answers_only_who_asked(tmp_path, house, automation, kitchen):
    config = tmp_path / "worker.toml"
    config.write_text(
        f'[mqtt]\nhost = "127.0.0.1"\nport = {house.port}\nusername = "worker"\n'
    )
    worker = subprocess.Popen(
        [sys.executable, str(HERE / "fake_worker.py"), str(config), "one"],
        env={**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parent}"}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    sound = BytesIO()
    soundfile.write(sound, np.zeros(1600, np.int16), 16_000, format="FLAC")
    try:
        automation.wait("edgeasr/worker/one")
        for answers in ("edgeasr/den/command/listen", "edgeasr/kitchen/utterance/answer"):
            properties = Properties(PacketTypes.PUBLISH)
            properties.ResponseTopic = answers
            kitchen.send("edgeasr/kitchen/utterance", sound.getvalue(), properties=properties)
        (answer,) = kitchen.wait("edgeasr/kitchen/utterance/answer")
        assert json.loads(answer)["ok"] is True
        assert not automation.bodies("edgeasr/den/command/listen")
    finally:
        worker.kill()
        worker.wait()
