"""Home Assistant: the discovery message, the results, and the real program when it is at hand.

The last tests need Home Assistant, which needs Python 3.14: `make peers`.
"""

import json
import random
from pathlib import Path

import pytest
from mqtt_help import SPOKEN, eventually, script_runtime
from real_peers import RealHomeAssistant
from test_runtime import Running

from edgeasr.commands import parse_command
from edgeasr.events import (
    Error,
    Intent,
    IntentNotRecognised,
    NoSpeech,
    Transcript,
    Translation,
    Wake,
)
from edgeasr.homeassistant import HomeAssistantBridge, HomeAssistantRemoval
from edgeasr.homeassistant_rows import Slots
from edgeasr.mqtt_topics import Topics

ROOT = "edgeasr/kitchen"
EXAMPLE = Path(__file__).parents[1] / "examples" / "home-assistant-automation.yaml"
CONFIG = "homeassistant/device/edgeasr_kitchen/config"
WAKE = Wake(at_s=1.0, session="s1", word="computer", score=0.9, word_end_s=0.9, latency_s=0.1)
LONG = "word " * 100
TRANSCRIPT = Transcript(
    at_s=4.0, session="s1", text=LONG, display=LONG, confidence=0.83, words=(), start_s=1.5,
    end_s=3.4, reason="silence",
)  # fmt: skip
TRANSLATION = Translation(
    at_s=4.0, session="s1", language="fr", text="mot", source="word", source_language="en",
    confidence=0.7, doubtful=False,
)  # fmt: skip
INTENT = Intent(
    at_s=4.0, session="s1", intent="TurnOn", confidence=1.0, slots=(), text="on", source="tagger"
)


@pytest.fixture
def bridge():
    slots = Slots(
        topics=Topics("edgeasr", "kitchen"),
        words={"computer": 0.5, "hey jarvis": 0.61},
        languages=["de", "fr"],
    )
    return HomeAssistantBridge(slots, prefix="homeassistant", rng=random.Random(1))


def components(bridge) -> dict:
    return bridge.discovery()["components"]


def test_one_retained_message_announces_everything(bridge):
    (message,) = bridge.announce()
    assert (message.topic, message.retain) == (CONFIG, True)
    found = components(bridge)
    assert {entry["platform"] for entry in found.values()} == {
        "binary_sensor", "button", "event", "number", "select", "sensor", "switch", "text",
    }  # fmt: skip
    ids = [entry["unique_id"] for entry in found.values()]
    assert len(set(ids)) == len(ids)
    assert "word_hey_jarvis" in found
    assert len(message.body) < 20_000


def test_every_topic_is_one_that_the_daemon_has(bridge):
    names = ("set", "listen", "cancel", "translate", "feedback")
    commands = {f"{ROOT}/command/{name}" for name in names}
    states = {f"{ROOT}/{name}" for name in ("state", "settings", "metrics", "status")}
    own = f"{ROOT}/homeassistant/"
    for key, entry in components(bridge).items():
        assert entry.get("command_topic", f"{ROOT}/command/set") in commands, key
        for topic in (entry.get("state_topic"), entry.get("json_attributes_topic")):
            assert topic is None or topic in states or topic.startswith(own), key
        if entry["platform"] in ("switch", "number", "select", "text"):
            assert "state_topic" in entry, f"{key} would be optimistic"


def test_what_has_a_microphone_to_need_says_so(bridge):
    found = components(bridge)
    needs = {key for key, entry in found.items() if len(entry["availability"]) == 2}
    assert needs == {"wake", "command", "listening", "listen", "cancel"}
    assert all(entry["availability_mode"] == "all" for entry in found.values())
    assert all(entry["availability"][0] == {"topic": f"{ROOT}/status"} for entry in found.values())


def test_plain_payloads_are_commands_of_the_daemon(bridge):
    for entry in components(bridge).values():
        for key in ("payload_on", "payload_off", "payload_press"):
            if key in entry:
                name = entry["command_topic"].rpartition("/")[2]
                parse_command(name, entry[key].encode(), max_audio_bytes=1000)


def test_events_carry_their_type_and_are_not_retained(bridge):
    types = {key: entry.get("event_types") for key, entry in components(bridge).items()}
    for event, key, kind in [
        (WAKE, "wake", "computer"),
        (TRANSCRIPT, "command", "transcript"),
        (NoSpeech(at_s=1.0, reason="silence"), "command", "no_speech"),
        (Error(at_s=1.0, source="microphone", message="gone"), "error", "error"),
        (INTENT, "command", "intent"),
        (
            IntentNotRecognised(at_s=1.0, text="x", guess="", confidence=0.1),
            "command", "no_match",
        ),
    ]:
        message = bridge.on_event(event, request=None).messages[0]
        assert (message.topic, message.retain) == (f"{ROOT}/homeassistant/{key}", False)
        assert json.loads(message.body)["event_type"] == kind
        assert kind in types[key]


def test_long_states_are_cut_and_whole_in_the_attributes(bridge):
    _, last = bridge.on_event(TRANSCRIPT, request=None).messages
    body = json.loads(last.body)
    assert len(body["state"]) == 255
    assert (body["display"], body["latency_s"], last.retain) == (LONG, 0.6, True)
    assert last in bridge.announce()  # again at the next connect


def test_a_translation_asked_for_echoes_in_the_text_field(bridge):
    asked = Translation(
        at_s=0.0, language="fr", text="bonjour", source="hello", source_language="en",
        confidence=0.9, doubtful=False,
    )  # fmt: skip
    told = {m.topic: json.loads(m.body) for m in bridge.on_event(asked, request="1").messages}
    assert told[f"{ROOT}/homeassistant/last/asked"]["state"] == "hello"
    spoken = bridge.on_event(TRANSLATION, request=None).messages
    assert [m.topic for m in spoken] == [f"{ROOT}/homeassistant/last/translation_fr"]


def test_birth_brings_a_new_announcement_after_a_while(bridge):
    again = [
        bridge.on_message("homeassistant/status", b"online", retained=False).announce_in_s
        for _ in range(50)
    ]
    assert 0 <= min(again) < 1
    assert 4 < max(again) <= 5
    gone = bridge.on_message("homeassistant/status", b"offline", retained=False)
    assert gone.announce_in_s is None
    other = HomeAssistantBridge(bridge._slots, prefix="ha")  # its birth keeps its own topic
    for topic in ("homeassistant/status", "ha/status"):
        assert topic in other.subscriptions
        assert other.on_message(topic, b"online", retained=False).announce_in_s is not None


def test_what_an_older_version_announced_is_removed(bridge):
    before = bridge.discovery()
    before["components"]["old"] = {"platform": "sensor", "unique_id": "x", "state_topic": "t"}
    before["components"]["gone before"] = {"platform": "switch"}
    (message,) = bridge.on_message(CONFIG, json.dumps(before).encode(), retained=True).messages
    sent = json.loads(message.body)["components"]
    assert sent.pop("old") == {"platform": "sensor"}
    assert sent == components(bridge)
    assert not bridge.on_message(CONFIG, message.body, retained=True).messages
    nonsenses = (b"\xff", b"[]", b'{"components": 3}', b"[" * 100_000, b'{"components": {"a": 1}}')
    for nonsense in nonsenses:
        assert not bridge.on_message(CONFIG, nonsense, retained=True).messages


def test_words_of_another_trigger_replace_those_of_the_one_before(bridge):
    before = components(bridge)
    (message,) = bridge.on_words({"computer": 0.5, "view glass": 0.7}).messages
    sent = json.loads(message.body)["components"]
    assert message.retain
    gone = {key: {"platform": before[key]["platform"]} for key in before if "hey_jarvis" in key}
    assert len(gone) == 2  # its switch and its threshold
    assert sent == {**components(bridge), **gone}
    assert "word_view_glass" in sent
    assert sent["wake"]["event_types"] == ["computer", "view glass", "listen"]


def test_switched_off_it_takes_back_what_it_announced(bridge):
    removal = HomeAssistantRemoval(bridge._slots, prefix="homeassistant")
    for topic in (CONFIG, f"{ROOT}/homeassistant/last/transcript"):
        (message,) = removal.on_message(topic, b"{}", retained=True).messages
        assert (message.topic, message.body, message.retain) == (topic, b"", True)
        assert not removal.on_message(topic, b"", retained=False).messages
    assert not removal.announce()


def test_the_real_home_assistant_shows_and_controls_the_daemon(
    tmp_path, monkeypatch, broker, start_home
):
    script_runtime(monkeypatch)
    home = start_home()
    with Running(tmp_path, broker.port):
        assert home.becomes("switch.voice_den_mute", "off")
        example = EXAMPLE.read_text().replace("kitchen", "den")
        assert home.ask(automations=example) == {"ok": True}
        sees(home)
        assert home.ask(called=True) == ["light.turn_on ['light.den']"]
        controls(home)
    assert home.becomes("switch.voice_den_mute", "unavailable")
    with Running(tmp_path, broker.port):
        assert home.becomes("switch.voice_den_mute", "on")  # kept, and announced again
    logged = [line for line in home.ask(logged=True) if "components.mqtt" in line]
    assert not logged
    with Running(tmp_path, broker.port, text="[homeassistant]\non = false\n"):
        assert eventually(lambda: home.state("switch.voice_den_mute") is None)
    assert not [name for name in home.ask(states=True) if "voice_den" in name]


def test_a_restarted_home_assistant_is_told_by_its_birth_message(
    tmp_path, monkeypatch, broker, other, start_home
):
    script_runtime(monkeypatch)
    with Running(tmp_path, broker.port):
        home = start_home()
        assert home.becomes("switch.voice_den_mute", "off")
        home.process.kill()
        home.process.wait()
        # Nothing retained is left that could tell it: only its birth message can bring the site.
        other.send("homeassistant/device/edgeasr_den/config", b"", retain=True)
        home = start_home()
        assert home.becomes("switch.voice_den_mute", "off")
        assert b"online" in other.bodies("homeassistant/status")


def sees(home: RealHomeAssistant) -> None:
    """A command that the button starts arrives in every entity."""
    home.call("button", "press", "button.voice_den_listen")
    assert home.becomes("sensor.voice_den_last_transcript", SPOKEN)
    assert home.becomes("sensor.voice_den_translation_fr", f"<fr> {SPOKEN}")
    states = home.ask(states=True)
    assert states["event.voice_den_wake_word"]["attributes"]["event_type"] == "listen"
    assert states["event.voice_den_command"]["attributes"]["text"] == SPOKEN
    assert states["sensor.voice_den_confidence"]["state"] == "90.0"
    assert float(states["sensor.voice_den_latency"]["state"]) >= 0
    assert states["binary_sensor.voice_den_microphone"]["state"] == "on"
    assert states["binary_sensor.voice_den_listening"]["state"] == "off"
    assert not [name for name, one in states.items() if one["state"] == "unavailable"]


def controls(home: RealHomeAssistant) -> None:
    """What is set here is what the daemon says back."""
    for platform, service, name, fields, state in [
        ("switch", "turn_off", "wake_word_jarvis", {}, "off"),
        ("switch", "turn_on", "flight_recorder", {}, "on"),
        ("number", "set_value", "threshold_computer", {"value": 0.42}, "0.42"),
        ("number", "set_value", "end_of_speech_silence", {"value": 700}, "700"),
        ("select", "select_option", "translate_to", {"option": "all"}, "all"),
        ("select", "select_option", "translate_to", {"option": "off"}, "off"),
        ("select", "select_option", "wake_word_in_use", {"option": "jarvis"}, "jarvis"),
        ("select", "select_option", "translate_to", {"option": "de"}, "de"),
        ("text", "set_value", "translate_this", {"value": 'say "hi" <é>'}, 'say "hi" <é>'),
        ("switch", "turn_on", "mute", {}, "on"),
    ]:
        home.call(platform, service, f"{platform}.voice_den_{name}", **fields)
        assert home.becomes(f"{platform}.voice_den_{name}", state), (name, state)
    assert home.state("switch.voice_den_wake_word_computer") == "off"
    assert home.state("number.voice_den_threshold_computer") == "0.42"
    assert home.becomes("binary_sensor.voice_den_microphone", "off")
    assert home.state("button.voice_den_listen") != "unavailable"
