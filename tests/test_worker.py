"""Workers as processes on a real Mosquitto: load shared, nothing lost when one is killed."""

import json
import os
import socket
import subprocess
import sys
import time
from collections import deque
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paho.mqtt.client as paho
import pytest
import soundfile
from fake_worker import SERVICE
from mqtt_help import Subscriber, eventually
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import edgeasr.worker
from edgeasr.config import MqttConfig
from edgeasr.mqtt_topics import WorkerTopics
from edgeasr.worker import Worker
from edgeasr.worker_session import Request, WorkerSession

HERE = Path(__file__).parent


def recording(samples: int) -> bytes:
    target = BytesIO()
    soundfile.write(target, np.zeros(samples, np.int16), 16_000, format="FLAC")
    return target.getvalue()


class Site(Subscriber):
    """Sends utterances, keeps the answers by correlation."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "edgeasr/den/answers", "edgeasr/worker/+", protocol=paho.MQTTv5)
        self.answers: dict[str, list[dict]] = {}
        self.client.on_message = self._received

    def _received(self, _client, _userdata, message) -> None:
        self.messages.append((message.topic, message.payload, message.retain))
        if message.topic.endswith("answers"):
            key = message.properties.CorrelationData.decode()
            self.answers.setdefault(key, []).append(json.loads(message.payload))

    def ask(self, key: str, body: bytes, *, expiry_s: int = 60, **user: str) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = "edgeasr/den/answers"
        properties.CorrelationData = key.encode()
        properties.MessageExpiryInterval = expiry_s
        properties.UserProperty = list(user.items())
        self.client.publish("edgeasr/den/utterance", body, qos=1, properties=properties)

    def status(self, name: str) -> str:
        seen = [body.decode() for body in self.bodies(f"edgeasr/worker/{name}")]
        return seen[-1] if seen else "never seen"


@pytest.fixture
def site(broker):
    site = Site(broker.port)
    yield site
    site.close()


@pytest.fixture
def start(tmp_path, broker, site):
    config = tmp_path / "worker.toml"
    config.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nretry_max_s = 1.0\n')
    processes = []

    def start(name: str, seconds: float = 0.0) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "fake_worker.py"), str(config), name, str(seconds)],
            env={**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parent}"}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        processes.append(process)
        assert eventually(lambda: site.status(name) == "online")
        return process

    yield start
    for process in processes:
        process.kill()


def test_an_utterance_is_answered_where_the_site_wants_it(start, site):
    start("one")
    site.ask("a", recording(16_000))
    site.ask("b", recording(32_000), to="")
    site.ask("c", recording(16_000), to="xx")
    site.ask("d", b"no audio at all")
    assert eventually(lambda: len(site.answers) == 4)
    (answer,) = site.answers["a"]
    assert (answer["ok"], answer["site"], answer["worker"]) == (True, "den", "one")
    assert answer["translations"] == {"fr": f"<fr> {answer['text']}"}
    assert answer["audio_s"] == 1.0
    assert site.answers["b"][0]["translations"] == {}
    assert "no translator to 'xx'" in site.answers["c"][0]["message"]
    assert site.answers["d"][0]["ok"] is False


def test_nothing_is_lost_and_another_answers_when_a_worker_is_killed(start, site):
    workers = {name: start(name, 0.2) for name in ("one", "two", "three")}
    body = recording(1600)
    for at in range(30):
        site.ask(str(at), body)
    assert eventually(lambda: len(site.answers) >= 6)
    workers["two"].kill()
    assert eventually(lambda: len(site.answers) == 30)
    by = [answers[0]["worker"] for answers in site.answers.values()]
    assert set(by) == {"one", "two", "three"}
    assert by.count("two") < 10  # the rest of its share was answered by others
    assert eventually(lambda: site.status("two") == "")
    site.ask("after", body)
    assert eventually(lambda: "after" in site.answers)


def test_who_loses_an_adopted_session_does_not_take_it_back(broker):
    """Else two that adopted the same one would take it from each other for ever."""

    def adopt() -> WorkerSession:
        config = MqttConfig(host="127.0.0.1", port=broker.port)
        topics = WorkerTopics(base="edgeasr", group="g")
        session = WorkerSession(config, topics, "ghost", password=None, on_peer=None)
        assert eventually(lambda: session.turn(0.05) or session.open)
        return session

    def ended(session: WorkerSession) -> bool:
        return eventually(lambda: session.turn(0.05) or session.gone)

    first, second = adopt(), adopt()
    assert ended(first)  # though not every broker says why
    second._client.socket().shutdown(socket.SHUT_RDWR)
    assert ended(second)
    assert second.lost


def test_a_lost_adoption_is_tried_again_later(monkeypatch):
    session = SimpleNamespace(name="two", gone=True, lost=True)
    monkeypatch.setattr(edgeasr.worker, "WorkerSession", lambda *_, **__: session)
    worker = Worker(SERVICE, MqttConfig(), name="one", group="g", password=None)
    worker._release(session)
    assert worker._wills["two"] > time.monotonic() + 2.0  # not while another may be at it
    worker._peer("two", b"")
    assert not worker._wills  # the other has ended it


def test_a_worker_that_comes_back_at_once_goes_on(start, site):
    first = start("one", 0.1)
    for at in range(10):
        site.ask(str(at), recording(1600))
    assert eventually(lambda: len(site.answers) >= 2)
    first.kill()
    start("one", 0.1)
    assert eventually(lambda: len(site.answers) == 10)


def test_a_worker_that_is_told_to_end_finishes_its_work(start, site):
    leaving, _ = start("one", 0.1), start("two", 0.1)
    for at in range(10):
        site.ask(str(at), recording(1600))
    assert eventually(lambda: len(site.answers) >= 2)
    leaving.terminate()
    assert leaving.wait(60) == 0
    assert eventually(lambda: len(site.answers) == 10)
    assert site.status("one") == ""
    assert all(len(answers) == 1 for answers in site.answers.values())


def test_an_expired_request_is_not_worked_on(monkeypatch):
    settled, answers = [], []

    class Session:
        name, open, gone, busy, idle_since_s = "one", True, False, False, 0.0

        def __init__(self, *_, **__):
            self.requests = deque()

        def turn(self, timeout_s):
            pass

        def drop(self, request):
            settled.append(request.mid)

        def answer(self, request, body):
            answers.append((request.mid, json.loads(body)["ok"]))

    monkeypatch.setattr(edgeasr.worker, "WorkerSession", Session)
    worker = Worker(SERVICE, MqttConfig(), name="one", group="g", password=None)
    for mid, left_s in ((1, -0.1), (2, 60.0)):
        worker._own.requests.append(
            Request(
                session=worker._own, topic="edgeasr/den/utterance", payload=b"no audio", mid=mid,
                connection=1, reply_to="x", correlation=None, targets=(),
                came_s=time.monotonic(), expires_s=time.monotonic() + left_s,
            )
        )  # fmt: skip
    worker._turn()
    assert (settled, answers, worker.expired) == ([1], [(2, False)], 1)


def test_a_worker_outlives_its_broker(start, site, broker):
    start("one")
    broker.kill()
    broker.start()

    def answered() -> bool:
        site.ask("again", recording(1600))
        return eventually(lambda: "again" in site.answers, within_s=0.5)

    assert eventually(answered)
