"""The flight recorder: off by default, whole utterances, labels, caps."""

import json
import os
import time

import numpy as np
import pytest
import soundfile

from edgeasr.config import RecorderConfig
from edgeasr.errors import CommandError
from edgeasr.events import NoSpeech, Transcript, Wake
from edgeasr.recorder import FlightRecorder

BLOCK = np.full(1600, 7, np.int16)


def wake(session="1"):
    return Wake(at_s=1, session=session, word="computer", score=0.9, word_end_s=1, latency_s=0)


def transcript(session="1"):
    return Transcript(
        at_s=3, session=session, text="hello", display="Hello", confidence=0.9, words=(),
        start_s=1, end_s=2, reason="silence",
    )  # fmt: skip


def hear(recorder, blocks):
    for _ in range(blocks):
        recorder.hear(BLOCK)


def utterance(recorder, *, before=100, during=20, end=None):
    hear(recorder, before)
    recorder.event(wake())
    hear(recorder, during)
    recorder.event(end or transcript())


def test_it_is_off_by_default(tmp_path):
    recorder = FlightRecorder(tmp_path / "r", RecorderConfig())
    utterance(recorder)
    assert not (tmp_path / "r").exists()


def test_an_utterance_is_saved_with_the_seconds_before_it(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True, before_s=2.0))
    utterance(recorder)
    (flac,) = tmp_path.glob("*-transcript.flac")
    pcm, rate = soundfile.read(flac, dtype="int16")
    assert rate == 16_000
    assert len(pcm) / rate == pytest.approx(2.0 + 2.0, abs=0.2)
    assert (pcm == 7).all()
    told = json.loads(flac.with_suffix(".json").read_text())
    assert [event["event"] for event in told["events"]] == ["wake", "transcript"]
    assert (flac.stat().st_mode & 0o777) <= 0o644


def test_rejected_utterances_are_saved_too(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True))
    utterance(recorder, end=NoSpeech(at_s=3, session="1", reason="rejected"))
    assert len(list(tmp_path.glob("*-no_speech.flac"))) == 1


def test_events_of_other_sessions_do_not_end_it(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True))
    recorder.event(wake())
    recorder.event(transcript(session="a recording"))
    assert recorder.saved == 0
    recorder.event(transcript())
    assert recorder.saved == 1


def test_an_utterance_without_an_end_does_not_stop_the_next_from_being_saved(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True))
    recorder.event(wake("lost"))
    recorder.event(wake("2"))
    recorder.event(transcript("2"))
    (told,) = tmp_path.glob("*-transcript.json")
    events = json.loads(told.read_text())["events"]
    assert [event["session"] for event in events] == ["2", "2"]


def test_a_recording_that_vanishes_while_old_ones_are_deleted_does_no_harm(tmp_path, monkeypatch):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True))
    utterance(recorder)
    (gone,) = tmp_path.glob("*.flac")
    monkeypatch.setattr("edgeasr.recorder.Path.glob", lambda _folder, _form: [gone])
    gone.unlink()
    recorder.prune()


def test_feedback_labels_the_last_recording(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True))
    with pytest.raises(CommandError, match="no recording"):
        recorder.label("false_wake", None)
    utterance(recorder)
    name = recorder.label("wrong_text", "hullo")
    told = json.loads((tmp_path / name).with_suffix(".json").read_text())
    assert told["label"]["kind"] == "wrong_text"
    assert told["label"]["text"] == "hullo"


def test_a_missed_wake_is_saved_from_memory(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True, before_s=3.0))
    hear(recorder, 50)
    name = recorder.label("missed_wake", None)
    assert soundfile.info(tmp_path / name).duration == pytest.approx(3.0, abs=0.2)


def test_a_near_miss_is_saved_and_a_wake_is_none(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True))
    thresholds = {"computer": 0.8, "jarvis": 0.5}
    for score in (0.1, 0.55, 0.6, 0.2, *[0.0] * 12):  # blocks of 100 ms
        recorder.hear(BLOCK)
        recorder.scores({"computer": score, "jarvis": 0.0}, thresholds)
    (told,) = tmp_path.glob("*-near_miss.json")
    assert json.loads(told.read_text())["events"] == [
        {"event": "near_miss", "word": "computer", "score": 0.6}
    ]
    recorder.hear(BLOCK)
    recorder.scores({"computer": 0.7}, thresholds)
    recorder.event(wake())
    hear(recorder, 20)
    recorder.scores({"computer": 0.0}, thresholds)
    recorder.event(transcript())
    assert recorder.saved == 2


def test_memory_is_bounded_however_long_an_utterance_lasts(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True))
    recorder.event(wake())
    hear(recorder, 3000)
    assert recorder._recent_samples <= 41 * 16_000


def test_caps_in_megabytes_and_days_are_kept(tmp_path):
    recorder = FlightRecorder(tmp_path, RecorderConfig(on=True, max_mb=1.0, max_days=1.0))
    for number in range(5):
        path = tmp_path / f"2026010{number}-transcript.flac"
        path.write_bytes(bytes(300_000))
        path.with_suffix(".json").write_text("{}")
    old = tmp_path / "20250101-transcript.flac"
    old.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    recorder.prune()
    assert [path.stem[:8] for path in sorted(tmp_path.glob("*.flac"))] == [
        "20260102", "20260103", "20260104"
    ]  # fmt: skip
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_a_disk_that_refuses_is_reported_and_survived(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    recorder = FlightRecorder(tmp_path / "file", RecorderConfig(on=True))
    utterance(recorder)
    assert "can not write" in caplog.text
    utterance(recorder)
