import dataclasses

import numpy as np
import pytest

from edgeasr.assistant import Assistant
from edgeasr.endpoint import EndpointConfig
from edgeasr.errors import ConfigError
from edgeasr.settings import Settings, WordSettings

SECOND = 16_000


@pytest.fixture
def assistant(models):
    return Assistant(models)


def play(assistant, pcm, size=1600):
    events = []
    for start in range(0, len(pcm), size):
        events += assistant.push(pcm[start : start + size])
    return events + assistant.finish()


def fields(events, *, drop=("session",)):
    rows = [event.to_fields() for event in events]
    return [{key: value for key, value in row.items() if key not in drop} for row in rows]


def kinds(events):
    return [event.NAME for event in events if event.NAME != "partial"]


def silence(seconds):
    return np.zeros(int(seconds * SECOND), np.int16)


def test_an_utterance_that_can_not_be_recognised_is_still_to_be_ended(assistant, monkeypatch):
    def fail(*_, **__):
        raise ValueError("NaN in the model")

    assistant.listen()
    monkeypatch.setattr("edgeasr.utterance.Utterance.transcript", fail)
    with pytest.raises(ValueError, match="NaN"):
        assistant.stop()
    assert kinds(assistant.cancel()) == ["no_speech"]
    assert assistant.state == "idle"


def test_every_recording_goes_from_wake_to_translation(assistant, recordings):
    for name, pcm in recordings.items():
        events = play(assistant, pcm)
        wake, transcript, translation = (
            next(event for event in events if kind == event.NAME)
            for kind in ("wake", "transcript", "translation")
        )
        assert wake.word == name.split("-")[0]
        assert transcript.words
        assert translation.source == transcript.text
        assert len({event.session for event in events}) == 1


@pytest.mark.parametrize("size", [160, 1000, 1280, 4096, 200_000])
def test_events_do_not_depend_on_the_size_of_the_pieces(assistant, recordings, size):
    pcm = recordings["computer-forecast"]
    assert fields(play(assistant, pcm, size)) == fields(play(assistant, pcm, 1280))


def test_a_second_replay_is_equal(models, assistant, recordings):
    pcm = np.concatenate(list(recordings.values()))
    first = fields(play(assistant, pcm), drop=())
    assert fields(play(Assistant(models), pcm), drop=()) == first
    again = fields(play(assistant, pcm))
    assert again == [{k: v for k, v in row.items() if k != "session"} for row in first]


def test_no_first_word_is_lost_without_a_pause(assistant, recordings):
    events = play(assistant, recordings["jarvis-glasses"])
    transcript = next(event for event in events if event.NAME == "transcript")
    assert transcript.text.startswith("do you have")


def test_partials_come_before_the_transcript(assistant, recordings):
    events = play(assistant, recordings["computer-forecast"])
    partials = [event for event in events if event.NAME == "partial"]
    transcript = next(event for event in events if event.NAME == "transcript")
    assert len(partials) >= 3
    assert all(partial.at_s <= transcript.at_s for partial in partials)


def test_nobody_speaking_is_no_speech(assistant, recordings):
    wake_only = recordings["alexa-passwords"][: int(1.75 * SECOND)]
    events = play(assistant, np.concatenate([wake_only, silence(8)]))
    assert kinds(events) == ["wake", "no_speech"]
    assert 4.5 < events[-1].at_s - events[0].at_s < 6.5


def test_silence_and_noise_wake_nobody(assistant, noise):
    for pcm in (silence(10), noise(10, 30), noise(10, 3000)):
        assert play(assistant, pcm) == []


def test_speech_without_wake_word_wakes_nobody(assistant, recordings):
    sentence = recordings["computer-forecast"][int(2.6 * SECOND) :]
    assert play(assistant, sentence) == []


def test_listening_by_command(assistant, recordings):
    sentence = recordings["computer-forecast"][int(2.4 * SECOND) :]
    assistant.push(silence(1))
    wake, *_ = assistant.listen()
    assert (wake.word, assistant.state) == ("", "listening")
    assert assistant.listen() == []
    events = play(assistant, sentence)
    transcript = next(event for event in events if event.NAME == "transcript")
    assert "forecast in kentucky" in transcript.text
    assert transcript.session == wake.session


def test_stop_recognises_what_was_heard(assistant, recordings):
    assistant.push(silence(1))
    assistant.listen()
    assistant.push(recordings["computer-forecast"][int(2.4 * SECOND) : int(6.2 * SECOND)])
    events = assistant.stop()
    assert kinds(events)[0] == "transcript"
    assert events[0].reason == "stop"
    assert (assistant.state, assistant.stop()) == ("idle", [])


def test_cancel_drops_what_was_heard(assistant, recordings):
    assistant.push(silence(1))
    assistant.listen()
    assistant.push(recordings["computer-forecast"][int(2.4 * SECOND) : int(5 * SECOND)])
    (event,) = assistant.cancel()
    assert (event.NAME, event.reason) == ("no_speech", "cancelled")
    assert assistant.cancel() == []


def test_the_end_of_the_stream_ends_the_utterance(assistant, recordings):
    pcm = recordings["computer-forecast"][: int(4.5 * SECOND)]
    events = play(assistant, pcm)
    assert events[-2].NAME == "transcript"
    assert events[-2].reason == "end_of_stream"


def test_endless_sound_meets_the_time_out(models, recordings):
    endpoint = EndpointConfig(max_utterance_ms=3000, stall_ms=60_000)
    settings = Settings(words=models.all_words(), min_confidence=0.0, endpoint=endpoint)
    assistant = Assistant(models, settings)
    assistant.listen()
    sentence = recordings["computer-forecast"][int(2.6 * SECOND) : int(5.9 * SECOND)]
    events = play(assistant, np.concatenate([sentence] * 4))
    ended = next(event for event in events if event.NAME == "transcript")
    assert ended.reason == "timeout"


def test_words_can_be_turned_off(models, recordings):
    assistant = Assistant(models, Settings(words={"jarvis": WordSettings()}))
    assert play(assistant, recordings["alexa-passwords"]) == []


def test_a_word_can_have_its_own_targets(models, recordings):
    words = {"alexa": WordSettings(targets=())}
    events = play(Assistant(models, Settings(words=words)), recordings["alexa-passwords"])
    assert kinds(events) == ["wake", "transcript"]


def test_low_confidence_is_rejected(models, recordings):
    settings = Settings(words=models.all_words(), min_confidence=1.0)
    events = play(Assistant(models, settings), recordings["alexa-passwords"])
    assert kinds(events) == ["wake", "no_speech"]
    assert events[-1].reason == "rejected"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": ("xx",)}, "translator to 'xx'"),
        ({"words": {"hal": WordSettings()}}, "no wake word 'hal'"),
        ({"words": {"alexa": WordSettings(targets=("yy",))}}, "translator to 'yy'"),
    ],
)
def test_a_wrong_setting_changes_nothing(assistant, change, message):
    before = assistant.settings
    with pytest.raises(ConfigError, match=message):
        assistant.apply(dataclasses.replace(before, **change))
    assert assistant.settings == before


def test_settings_change_between_blocks(assistant, recordings):
    assistant.apply(dataclasses.replace(assistant.settings, targets=()))
    assert kinds(play(assistant, recordings["alexa-passwords"])) == ["wake", "transcript"]
