"""Recordings that commands bring: transcript, intent and translations, as of a voice."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from edgeasr.events import IntentNotRecognised, Translation
from edgeasr.jobs import transcribe_job
from edgeasr.settings import Settings
from edgeasr.transcription import Result


class ScriptedAssistant:
    settings = Settings(words={}, targets=("fr",), min_confidence=0.5)

    def translate(self, text, target, *, session):
        return Translation(
            at_s=99.0, session=session, language=target, text=text.upper(), source=text,
            source_language="en", confidence=1.0, doubtful=False,
        )  # fmt: skip


class Unsure:
    """Understands nothing."""

    def event(self, text, *, at_s, session):
        return IntentNotRecognised(at_s=at_s, session=session, text=text, guess="", confidence=0.1)


class ScriptedStream:
    def __init__(self, confidence):
        self._confidence = confidence

    def push(self, frames):
        pass

    def finish(self):
        return Result("lights off", self._confidence)


def heard(understander, *, confidence=0.9):
    """Return the events that two seconds give, in order."""
    audio = io.BytesIO()
    soundfile.write(audio, np.zeros(32_000, np.int16), 16_000, format="WAV")
    recogniser = SimpleNamespace(stream=lambda hints: ScriptedStream(confidence))
    models = SimpleNamespace(recogniser=recogniser, understander=understander)
    steps = transcribe_job(audio.getvalue(), models, ScriptedAssistant(), session="s")
    return [event for events in steps for event in events]


@pytest.mark.parametrize(
    ("understander", "names"),
    [
        (Unsure(), ["transcript", "intent_not_recognised", "translation"]),
        (None, ["transcript", "translation"]),
    ],
)
def test_a_recording_is_understood_where_a_voice_would_be(understander, names):
    events = heard(understander)
    assert [event.NAME for event in events] == names
    assert {(event.at_s, event.session) for event in events} == {(2.0, "s")}
    assert events[0].text == "lights off"


def test_what_was_hardly_heard_asks_for_nothing():
    (event,) = heard(Unsure(), confidence=0.4)
    assert (event.NAME, event.reason) == ("no_speech", "rejected")
