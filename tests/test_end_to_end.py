"""The command that users run, with the shipped models, against a real Mosquitto."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mqtt_help import eventually

from edgeasr.assistant import Assistant
from edgeasr.bundle import MODELS_FOLDER, seal_bundle
from edgeasr.settings import Settings

HERE = Path(__file__).parent
ROOT = "edgeasr/hall"
FIELDS = ("word", "text", "language", "at_s", "score", "confidence")


class Hall:
    """`edgeasr run` with raw sound on standard input."""

    def __init__(self, folder, port, text=""):
        self.config = folder / "edgeasr.toml"
        self.config.write_text(
            f'[site]\nname = "hall"\n[audio]\nsource = "stdin"\n[mqtt]\nhost = "127.0.0.1"\n'
            f'port = {port}\n[state]\nfolder = "{folder}/state"\n'
            f"[recogniser]\nmin_confidence = 0.0\n{text}"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edgeasr", "run", "--config", str(self.config)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        )  # fmt: skip

    def hear(self, pcm):
        self.process.stdin.write(pcm.tobytes())
        self.process.stdin.flush()

    def end(self):
        return self.process.communicate(timeout=60)[1].decode(), self.process.returncode


@pytest.fixture
def spoken(recordings):
    pcm = recordings["computer-forecast"]
    return np.concatenate([np.zeros(16_000, np.int16), pcm, np.zeros(24_000, np.int16)])


def shown(fields):
    return {"event": fields["event"], **{key: fields[key] for key in FIELDS if key in fields}}


def test_a_voice_becomes_words_and_french_as_in_a_replay(tmp_path, broker, other, models, spoken):
    hall = Hall(tmp_path, broker.port)
    other.wait(f"{ROOT}/status", within_s=60)
    hall.hear(spoken)
    log, status = hall.end()
    assert status == 0, log
    assert other.wait(f"{ROOT}/status", count=2)[-1] == b"offline"
    topics = ("wake", "transcript", "translation/fr")
    live = [other.wait_json(f"{ROOT}/{topic}")[0] for topic in topics]
    assert live[0]["word"] == "computer"
    assert "forecast" in live[1]["text"]
    assert live[2]["source"] == live[1]["text"]
    assert other.bodies(f"{ROOT}/partial")
    assistant = Assistant(models, Settings(words=models.all_words(), min_confidence=0.0))
    events = [event.to_fields() for event in [*assistant.push(spoken), *assistant.finish()]]
    replayed = [fields for fields in events if fields["event"] in ("wake", "transcript")]
    assert [shown(fields) for fields in live[:2]] == [shown(fields) for fields in replayed]


def test_commands_translate_and_transcribe(tmp_path, broker, other, recordings):
    hall = Hall(tmp_path, broker.port)
    other.wait(f"{ROOT}/status", within_s=60)
    hall.hear(np.zeros(16_000, np.int16))
    other.send(f"{ROOT}/command/translate", {"text": "turn off the lights", "id": "t"})
    (answer,) = other.wait_json(f"{ROOT}/translation/fr")
    assert (answer["request"], "lumi" in answer["text"].lower()) == ("t", True)
    flac = tmp_path / "spoken.flac"
    soundfile.write(flac, recordings["computer-forecast"], 16_000)
    other.send(f"{ROOT}/command/transcribe", flac.read_bytes())
    (transcript,) = other.wait_json(f"{ROOT}/transcript")
    assert "forecast" in transcript["text"]
    (intent,) = other.wait_json(f"{ROOT}/intent")
    assert (intent["text"], intent["session"]) == (transcript["text"], transcript["session"])
    translation = other.wait_json(f"{ROOT}/translation/fr", count=2)[1]
    assert (translation["at_s"], translation["source"]) == (transcript["at_s"], transcript["text"])
    other.send(f"{ROOT}/command/transcribe", b"RIFFnot audio")
    wanted = f"{ROOT}/command/transcribe"
    assert eventually(lambda: wanted in [error["source"] for error in other.json(f"{ROOT}/error")])
    log, status = hall.end()
    assert status == 0, log


def renamed_trigger(folder, word):
    """The shipped trigger with another name for "computer", as a newly trained bundle."""
    shutil.copytree(MODELS_FOLDER / "wake", folder)
    content = json.loads((folder / "bundle.json").read_text())
    settings = content["settings"]
    settings["words"] = [word if old == "computer" else old for old in settings["words"]]
    settings["words_alone"][word] = settings["words_alone"].pop("computer")
    settings["words_verified"] = {}
    seal_bundle(folder, kind="wake", files=list(content["files"]), settings=settings,
                features=content["features"])  # fmt: skip


def test_a_new_trigger_is_taken_without_a_restart(tmp_path, broker, other, spoken):
    hall = Hall(tmp_path, broker.port)
    other.wait(f"{ROOT}/settings", within_s=60)
    hall.hear(np.zeros(1280, np.int16))
    renamed_trigger(tmp_path / "models" / "wake-mine", "calculator")
    before = hall.config.read_text()
    hall.config.write_text(
        f'{before}[models]\nfolder = "{tmp_path}/models"\n[wake]\nmodel = "wake-mine"\n'
    )
    hall.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: "calculator" in other.json(f"{ROOT}/settings")[-1]["words"],
                      within_s=60)  # fmt: skip
    announced = other.wait("homeassistant/device/edgeasr_hall/config", count=2, within_s=60)[-1]
    assert {"word_calculator", "word_computer"} <= json.loads(announced)["components"].keys()
    assert json.loads(announced)["components"]["word_computer"] == {"platform": "switch"}
    hall.config.write_text(f'{before}[wake]\nmodel = "wake-none"\n')
    hall.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: "wake-none" in str(other.json(f"{ROOT}/error")), within_s=60)
    hall.hear(spoken)
    log, status = hall.end()
    assert status == 0, log
    assert [event["word"] for event in other.wait_json(f"{ROOT}/wake")] == ["calculator"]
