"""The daemon with the shipped models hears a bundled recording: each counterpart shows it."""

import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from browser_help import Browser
from mqtt_help import eventually, free_port
from test_end_to_end import ROOT, Hall

from edgeasr.recordings import bundled_recordings

EXAMPLES = Path(__file__).parents[1] / "examples"
PAGE_PORT = free_port()


@pytest.fixture
def hall(tmp_path, broker, other):
    """The daemon, listening."""
    folder = tmp_path / "hall"
    folder.mkdir()
    text = f'[hermes]\non = true\n[http]\nlisten = "127.0.0.1:{PAGE_PORT}"\n'
    hall = Hall(folder, broker.port, text)
    over = threading.Event()

    def breathe() -> None:  # a microphone that gives nothing would be lost
        while not over.wait(0.3) and hall.process.poll() is None:
            hall.hear(np.zeros(4800, np.int16))

    room = threading.Thread(target=breathe)
    room.start()
    try:
        assert eventually(lambda: b"online" in other.bodies(f"{ROOT}/status"))
        yield hall
    finally:
        over.set()
        room.join()
        hall.process.kill()
        hall.process.communicate()


@pytest.fixture
def speak(hall, other, recordings):
    """A function that plays the recording and returns wake, transcript and translation."""

    def play() -> tuple[dict, dict, dict]:
        pcm = recordings[bundled_recordings()[-1].stem]
        quiet = np.zeros(16_000, np.int16)
        hall.hear(np.concatenate([quiet, pcm, quiet, quiet]))
        names = ("wake", "transcript", "translation/fr")
        wake, transcript, translation = (other.wait_json(f"{ROOT}/{name}")[0] for name in names)
        assert wake["session"] == transcript["session"] == translation["session"]
        return wake, transcript, translation

    return play


def test_home_assistant_itself(start_home, speak):
    home = start_home()
    assert home.becomes("binary_sensor.voice_hall_microphone", "on")
    wake, transcript, translation = speak()
    assert home.becomes("sensor.voice_hall_last_transcript", transcript["display"])
    assert home.becomes("sensor.voice_hall_translation_fr", translation["text"])
    states = home.ask(states=True)
    assert states["event.voice_hall_wake_word"]["attributes"]["event_type"] == wake["word"]
    confidence = float(states["sensor.voice_hall_confidence"]["state"])
    assert confidence == pytest.approx(100 * transcript["confidence"], abs=0.1)


def test_the_hermes_library(speak, other):
    asr = pytest.importorskip("rhasspyhermes.asr", reason="make peers")
    from rhasspyhermes import dialogue, nlu, wake  # noqa: PLC0415

    woken, transcript, _ = speak()
    assert eventually(lambda: other.bodies("hermes/dialogueManager/sessionEnded"))
    said = [(topic, json.loads(body)) for topic, body, _ in other.messages if "hermes/" in topic]

    def read(kind):
        (found,) = (kind.from_dict(fields) for topic, fields in said if kind.is_topic(topic))
        return found

    captured = read(asr.AsrTextCaptured)
    assert (captured.text, captured.site_id) == (transcript["text"], "hall")
    assert [token.value for token in captured.asr_tokens[0]] == transcript["text"].split()
    assert read(wake.HotwordDetected).model_id == woken["word"]
    kinds = (dialogue.DialogueSessionStarted, dialogue.DialogueSessionEnded)
    assert {read(kind).session_id for kind in kinds} == {captured.session_id}
    answers = [topic for topic, _ in said if nlu.NluIntentNotRecognized.is_topic(topic)
               or nlu.NluIntentParsed.is_topic(topic)]  # fmt: skip
    assert len(answers) == 1


def test_node_red_itself(node_red, speak, other):
    client = pytest.importorskip("websockets.sync.client", reason="pip install websockets")
    assert eventually(lambda: connects(node_red.port))
    shown = []
    with client.connect(f"ws://127.0.0.1:{node_red.port}/comms") as editor:

        def shows(text: str) -> bool:
            try:
                shown.append(editor.recv(timeout=1))
            except TimeoutError:
                other.send("edgeasr/test/translation/fr", {"text": "prêt"})
            return any(text in str(json.loads(line)) for line in shown)

        assert eventually(lambda: shows("prêt"))  # it has subscribed
        _, _, translation = speak()
        assert eventually(lambda: shows(translation["text"]))
    node_red.press("edgeasr-button")
    assert eventually(lambda: other.json(f"{ROOT}/wake")[-1]["word"] == "")


def connects(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60):
            return True
    except OSError:
        return False


def test_a_browser_and_prometheus(speak):
    parser = pytest.importorskip("prometheus_client.parser", reason="pip install prometheus_client")
    with Browser() as browser:
        browser.look(width=390, height=844)
        browser.open(f"http://127.0.0.1:{PAGE_PORT}/")
        browser.wait("document.getElementById('broker')?.dataset.tone === 'good'")
        _, transcript, translation = speak()
        said = "document.getElementById('said').textContent"
        browser.wait(f"{said} === {json.dumps(transcript['display'])}")
        inside = f"document.body.innerText.includes({json.dumps(translation['text'])})"
        browser.wait(inside)
        browser.wait("document.querySelectorAll('#attention td').length > 4")
        assert browser.errors == []
    with urllib.request.urlopen(f"http://127.0.0.1:{PAGE_PORT}/metrics", timeout=60) as answer:
        families = parser.text_string_to_metric_families(answer.read().decode())
        samples = [sample for family in families for sample in family.samples]
    counted = [one.value for one in samples if one.labels == {"event": "transcript"}]
    assert counted == [1.0]


def test_the_subscriber_of_the_examples(broker, hall, other, speak):
    program = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "subscriber.py"), "127.0.0.1", str(broker.port)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        other.send("edgeasr/test/transcript",
                   {"site": "test", "text": "ready", "confidence": 1}, retain=True)  # fmt: skip
        assert program.stdout.readline() == "test said: ready (100%)\n"
        _, transcript, translation = speak()
        lines = [program.stdout.readline() for _ in range(2)]
        assert lines[0] == f"hall said: {transcript['text']} ({transcript['confidence']:.0%})\n"
        assert lines[1] == f"hall fr: {translation['text']} ({translation['confidence']:.0%})\n"
    finally:
        program.kill()
