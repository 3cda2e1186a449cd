"""The daemon, with threads and a real broker; the models are played by a script."""

import json
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from mqtt_help import (
    SPOKEN,
    ListSource,
    Mosquitto,
    ScriptedAssistant,
    Subscriber,
    commands_pcm,
    eventually,
    free_port,
    script_runtime,
)
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgeasr.config_file import parse_config
from edgeasr.events import EVENT_TYPES
from edgeasr.mqtt_topics import Topics
from edgeasr.outbox import Outbox
from edgeasr.publisher import Publisher
from edgeasr.runtime import Hooks, run

ROOT = "edgeasr/den"


class Running:
    """`run` in a thread; leaving the block ends the sound and waits for the end."""

    def __init__(self, folder, port, *, pcm=None, source=None, text="", **options):
        config = parse_config(f'[site]\nname = "den"\n{text}')
        self.config = replace(
            config,
            mqtt=replace(config.mqtt, host="127.0.0.1" if port else "", port=port or 0,
                         retry_max_s=1.0),
            state=replace(config.state, folder=str(folder / "state")),
            system=replace(config.system, metrics_s=1.0),
        )  # fmt: skip
        self.source = source or ListSource(np.zeros(0, np.int16) if pcm is None else pcm)
        self.options = options
        self.status = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        self.status = run(self.config, source=self.source, **self.options)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.source.finish()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    script_runtime(monkeypatch)


@pytest.fixture
def den(tmp_path, broker, other):
    """A running daemon that hears silence."""
    with Running(tmp_path, broker.port) as running:
        other.wait(f"{ROOT}/status")
        assert eventually(lambda: "ok" in [s["microphone"] for s in other.json(f"{ROOT}/state")])
        yield running


def ask(other, command, payload=b"", **options):
    """Send a command; return the answer to it."""
    before = len(other.bodies(f"{ROOT}/result"))
    other.send(f"{ROOT}/command/{command}", payload, **options)
    return json.loads(other.wait(f"{ROOT}/result", count=before + 1)[-1])


def test_sound_becomes_events_on_every_topic(tmp_path, broker, other):
    seen = []
    hooks = Hooks(on_event=seen.append)
    with Running(tmp_path, broker.port, pcm=commands_pcm(1), hooks=hooks, wait_for_broker_s=5):
        (wake,) = other.wait_json(f"{ROOT}/wake")
        (partial,) = other.wait_json(f"{ROOT}/partial")
        (transcript,) = other.wait_json(f"{ROOT}/transcript")
        (translation,) = other.wait_json(f"{ROOT}/translation/fr")
    assert [event.NAME for event in seen] == ["wake", "partial", "transcript", "translation"]
    assert (wake["event"], wake["word"], wake["site"]) == ("wake", "computer", "den")
    assert transcript["text"] == SPOKEN
    assert translation["text"] == f"<fr> {SPOKEN}"
    sessions = {body["session"] for body in (wake, partial, transcript, translation)}
    assert len(sessions) == 1
    assert len({body["id"] for body in (wake, partial, transcript, translation)}) == 4
    assert wake["time"].endswith("Z")
    assert not any(retained for topic, _, retained in other.messages if topic == f"{ROOT}/wake")
    assert other.bodies(f"{ROOT}/status") == [b"online", b"offline"]


def test_the_state_is_retained_and_follows(tmp_path, broker, other):
    with Running(tmp_path, broker.port, pcm=commands_pcm(1)):
        other.wait(f"{ROOT}/transcript")
        assert eventually(lambda: other.json(f"{ROOT}/state")[-1]["state"] == "idle")
        late = Subscriber(broker.port, f"{ROOT}/state", f"{ROOT}/settings")
        assert late.wait_json(f"{ROOT}/state")[0]["microphone"] == "ok"
        assert late.wait_json(f"{ROOT}/settings")[0]["targets"] == ["fr"]
        first = {topic: retained for topic, _, retained in reversed(late.messages)}
        assert all(first.values())
        assert eventually(lambda: late.json(f"{ROOT}/state")[-1]["broker"] == "mqtt 5")
        late.close()


def test_metrics_tell_of_time_memory_and_queues(den, other):
    metrics = other.wait_json(f"{ROOT}/metrics")[-1]
    assert metrics["rss_mb"] > 10
    assert metrics["outbox"] == {"waiting": 0, "dropped": 0, "expired": 0, "healthy": True}
    assert "idle" in other.wait_json(f"{ROOT}/metrics", count=2)[-1]["stages"]


def test_listen_stop_and_cancel(den, other):
    assert ask(other, "listen", {"id": "a"})["ok"]
    (wake,) = other.wait_json(f"{ROOT}/wake")
    assert (wake["word"], wake["request"]) == ("", "a")
    assert ask(other, "cancel")["ok"]
    assert other.wait_json(f"{ROOT}/no_speech")[0]["reason"] == "cancelled"
    ask(other, "listen")
    assert ask(other, "stop")["ok"]
    assert other.wait_json(f"{ROOT}/transcript")[0]["text"] == SPOKEN


def test_mute_closes_the_microphone_and_outlives_a_restart(tmp_path, broker, other):
    with Running(tmp_path, broker.port) as running:
        other.wait(f"{ROOT}/status")
        assert ask(other, "mute", True)["ok"]
        assert running.source.condition == "stopped"
        assert eventually(lambda: other.json(f"{ROOT}/state")[-1]["state"] == "muted")
        refused = ask(other, "listen")
        assert (refused["ok"], "muted" in refused["message"]) == (False, True)
    with Running(tmp_path, broker.port) as running:
        other.wait(f"{ROOT}/status", count=3)
        assert running.source.starts == 0
        assert ask(other, "mute", {"on": False})["ok"]
        assert eventually(lambda: running.source.condition == "ok")


def test_set_changes_all_or_nothing_and_is_told(den, other):
    answer = ask(other, "set", {"threshold": 0.7, "targets": ["fr", "de"], "id": "s1"})
    assert (answer["ok"], answer["id"]) == (True, "s1")
    assert answer["settings"]["words"]["jarvis"]["threshold"] == 0.7
    assert other.json(f"{ROOT}/settings")[-1]["targets"] == ["fr", "de"]
    before = other.json(f"{ROOT}/settings")[-1]
    refused = ask(other, "set", {"min_confidence": 0.1, "targets": ["xx"]})
    assert (refused["ok"], "no translator to 'xx'" in refused["message"]) == (False, True)
    error = other.wait_json(f"{ROOT}/error")[-1]
    assert error["source"] == f"{ROOT}/command/set"
    assert den.source.condition == "ok"
    assert other.json(f"{ROOT}/settings")[-1] == before


def test_kept_settings_outlive_a_restart_and_others_do_not(tmp_path, broker, other):
    with Running(tmp_path, broker.port):
        other.wait(f"{ROOT}/status")
        ask(other, "set", {"beam": 7, "persist": True})
        ask(other, "set", {"refractory_s": 9})
    with Running(tmp_path, broker.port):
        other.wait(f"{ROOT}/status", count=3)
        assert eventually(lambda: other.json(f"{ROOT}/settings")[-1]["refractory_s"] == 2.0)
        assert other.json(f"{ROOT}/settings")[-1]["beam"] == 7


def test_translate_answers_each_language(den, other):
    answer = ask(other, "translate", {"text": "hello", "to": ["fr", "de"], "id": "t"})
    assert [item["language"] for item in answer["translations"]] == ["fr", "de"]
    assert other.wait_json(f"{ROOT}/translation/de")[0]["request"] == "t"
    assert not ask(other, "translate", {"text": "hello", "to": "xx"})["ok"]


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ("listen", b"\xff\xfe"),
        ("set", b"[" * 50_000),
        ("mute", b"maybe"),
        ("transcribe", b"not audio"),
        ("transcribe", b"x" * 4_000_001),
        ("nothing", b"{}"),
    ],
)
def test_a_bad_payload_is_answered_with_an_error_that_names_the_topic(den, other, command, payload):
    answer = ask(other, command, payload)
    assert not answer["ok"]
    (error,) = other.wait_json(f"{ROOT}/error")
    assert error["source"] == f"{ROOT}/command/{command}"
    assert error["message"] == answer["message"]
    assert ask(other, "cancel")["ok"]  # it goes on


def test_a_retained_command_is_refused(tmp_path, broker, other):
    other.send(f"{ROOT}/command/listen", b"{}", retain=True)
    with Running(tmp_path, broker.port):
        (answer,) = other.wait_json(f"{ROOT}/result")
        assert "without retain" in answer["message"]
        time.sleep(0.1)
        assert not other.bodies(f"{ROOT}/wake")


def test_a_sender_with_mqtt_5_is_answered_where_it_wants(broker, den):
    asking = Subscriber(broker.port, "answers/me", protocol=5)
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic, properties.CorrelationData = "answers/me", b"42"
    asking.client.publish(f"{ROOT}/command/cancel", b"", 1, properties=properties)
    assert asking.wait_json("answers/me")[0]["ok"]
    asking.close()


def test_results_made_without_a_broker_arrive_when_it_comes(tmp_path):
    broker = Mosquitto(
        tmp_path, "allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/"
    )
    other = Subscriber(broker.port, client_id="reader", clean_session=False)
    broker.stop()
    with Running(tmp_path, broker.port, pcm=commands_pcm(3)) as running:
        assert eventually((tmp_path / "state/outbox.sqlite").exists)
        assert eventually(lambda: running.source._blocks.__length_hint__() == 0)
        broker.start()
        other.wait(f"{ROOT}/translation/fr", count=3)
    order = [topic.removeprefix(f"{ROOT}/") for topic, *_ in other.messages]
    results = [name for name in order if name in ("wake", "transcript", "translation/fr")]
    assert results == ["wake", "transcript", "translation/fr"] * 3
    other.close()
    broker.kill()


def test_sound_that_ends_is_a_clean_end(tmp_path, broker, other):
    source = ListSource(commands_pcm(2), endless=False)
    with Running(tmp_path, broker.port, source=source, wait_for_broker_s=5) as running:
        running.thread.join(60)
        assert running.status == 0
    assert len(other.bodies(f"{ROOT}/transcript")) == 2
    assert other.bodies(f"{ROOT}/status")[-1] == b"offline"


def test_no_sound_at_all_is_a_failure(tmp_path):
    source = ListSource(np.zeros(0, np.int16), endless=False)
    with Running(tmp_path, free_port(), source=source) as running:
        running.thread.join(60)
        assert running.status == 1


def test_a_lost_microphone_ends_the_utterance_and_is_told(den, other):
    ask(other, "listen")
    den.source.condition, den.source.read = "lost", lambda _timeout_s: time.sleep(0.01)
    error = other.wait_json(f"{ROOT}/error")[-1]
    assert error["source"] == "microphone"
    assert other.wait_json(f"{ROOT}/no_speech")
    assert eventually(lambda: other.json(f"{ROOT}/state")[-1]["microphone"] == "lost")
    del den.source.read
    assert eventually(lambda: other.json(f"{ROOT}/state")[-1]["microphone"] == "ok")


def test_without_a_broker_the_embedded_one_serves(tmp_path):
    address = []
    hooks = Hooks(on_broker=lambda host, port: address.append(port))
    with Running(tmp_path, None, hooks=hooks):
        assert eventually(lambda: address)
        other = Subscriber(address[0])
        other.wait(f"{ROOT}/state")
        assert eventually(lambda: other.json(f"{ROOT}/state")[-1]["broker"] == "mqtt 3.1.1")
        assert ask(other, "listen")["ok"]
        other.wait(f"{ROOT}/wake")
        other.close()


def test_a_failing_assistant_starts_afresh_until_it_fails_too_often(den, other, monkeypatch):
    real, failures = ScriptedAssistant.push, [1, 1, 1]

    def push(self, pcm):
        if failures and failures.pop():
            raise ValueError("NaN in the model")
        return real(self, pcm)

    monkeypatch.setattr(ScriptedAssistant, "push", push)
    errors = other.wait_json(f"{ROOT}/error", count=3)
    assert {error["source"] for error in errors} == {"assistant"}
    assert ask(other, "listen")["ok"]
    failures += [1] * 9
    den.thread.join(60)
    assert den.status == 1


def test_an_utterance_in_which_the_assistant_fails_ends_for_everybody(den, other, monkeypatch):
    real = ScriptedAssistant.push

    def push(self, pcm):
        if self.state == "listening":
            raise ValueError("NaN in the model")
        return real(self, pcm)

    assert ask(other, "listen")["ok"]
    monkeypatch.setattr(ScriptedAssistant, "push", push)
    (end,) = other.wait_json(f"{ROOT}/no_speech")
    assert end["reason"] == "cancelled"
    assert end["session"] == other.json(f"{ROOT}/wake")[0]["session"]


def test_results_of_two_threads_have_ids_of_their_own(tmp_path):
    found = []
    outbox = Outbox(None, limit=100_000, expiry_s=60)
    link = SimpleNamespace(wake=lambda: None, publish=lambda message: found.append(message.body))
    publisher = Publisher(Topics("edgeasr", "den"), outbox=outbox, link=link)

    def tell():
        for _ in range(2000):
            publisher.error("x", "y", at_s=0.0)

    threads = [threading.Thread(target=tell) for _ in range(2)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert len({json.loads(body)["id"] for body in found}) == 4000


def test_every_event_type_has_a_name_for_a_topic():
    assert all(event.NAME.replace("_", "").isalpha() for event in EVENT_TYPES)
