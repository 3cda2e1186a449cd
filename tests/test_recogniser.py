import numpy as np
import pytest

from edgeasr.errors import AudioError
from edgeasr.features import LogMel
from edgeasr.hints import Hints
from edgeasr.transcription import as_spoken


@pytest.fixture(scope="module")
def recogniser(models):
    return models.recogniser


@pytest.fixture(scope="module")
def speech(recordings):
    """Frames of a sentence after its wake word."""
    return LogMel()(recordings["alexa-passwords"])[220:]


def transcribe(recogniser, frames, size=None, **options):
    stream = recogniser.stream(**options)
    size = size or len(frames)
    for start in range(0, len(frames), size):
        stream.push(frames[start : start + size])
    return stream.finish()


def test_a_held_out_speaker_is_understood(recogniser, speech):
    words = transcribe(recogniser, speech).text.split()
    expected = ["strong", "passwords", "don't", "have", "to", "be", "hard", "to", "remember"]
    assert sum(word in words for word in expected) >= 7


@pytest.mark.parametrize("size", [1, 7, 8, 64, 100])
def test_the_result_does_not_depend_on_the_pieces(recogniser, speech, size):
    whole, pieces = transcribe(recogniser, speech), transcribe(recogniser, speech, size)
    assert pieces.text == whole.text
    assert pieces.confidence == pytest.approx(whole.confidence, abs=1e-3)
    assert [w.start_s for w in pieces.words] == pytest.approx([w.start_s for w in whole.words])


def test_partials_come_while_one_speaks(recogniser, speech):
    stream = recogniser.stream()
    texts = [h.text for at in range(0, len(speech), 8) if (h := stream.push(speech[at : at + 8]))]
    assert len(texts) >= 4
    assert len(texts[-1]) > len(texts[1])


def test_finishing_does_not_end_the_stream(recogniser, speech):
    stream = recogniser.stream()
    stream.push(speech[:200])
    early = stream.finish()
    assert stream.finish() == early
    stream.push(speech[200:])
    assert stream.finish().text == transcribe(recogniser, speech).text


def test_an_utterance_that_is_cut_off_ends_as_in_silence(recogniser, speech):
    """Else the decoder, which sees no end, may begin again."""
    cut = speech[: len(speech) // 2]
    silent = np.full((50, 80), -10.0, np.float32)
    followed = transcribe(recogniser, np.concatenate([cut, silent])).text
    assert transcribe(recogniser, cut).text == followed


def test_two_runs_are_equal(recogniser, speech):
    assert transcribe(recogniser, speech) == transcribe(recogniser, speech)


def test_words_have_times_in_order(recogniser, speech):
    words = transcribe(recogniser, speech).words
    ends = [(word.start_s, word.end_s) for word in words]
    assert all(start < end for start, end in ends)
    assert ends == sorted(ends)
    assert ends[0][0] >= 0
    assert ends[-1][1] <= len(speech) * 0.01 + 0.1
    assert all(0 <= word.confidence <= 1 for word in words)


@pytest.mark.parametrize("level", [0.0, 1.0, 30.0, 1000.0])
def test_noise_and_silence_have_no_words(recogniser, noise, level):
    assert transcribe(recogniser, LogMel()(noise(3.0, level))).text == ""


def test_titles_are_written_as_they_are_said():
    assert as_spoken("mrs smith and mr jones") == "missus smith and mister jones"


def test_no_audio_has_no_words(recogniser):
    assert recogniser.stream().finish().text == ""


def test_the_wake_word_is_left_out(recogniser, recordings):
    frames = LogMel()(recordings["computer-forecast"])
    found = transcribe(recogniser, frames[60:], prefix="computer", skip_s=1.64)
    wake, *command = transcribe(recogniser, frames).text.split()
    assert wake == "computer"
    assert found.text.split()[:4] == ["what", "is", "the", "forecast"]
    assert found.text.split()[1:] == command[1:]


@pytest.mark.parametrize("change", [lambda x: x * 4, lambda x: x + 3000, lambda x: x * 0.05])
def test_clipping_offset_and_low_level_are_survived(recogniser, recordings, change):
    pcm = recordings["alexa-passwords"].astype(np.float64)
    changed = np.clip(change(pcm), -32768, 32767).astype(np.int16)
    words = transcribe(recogniser, LogMel()(changed)[220:]).text.split()
    assert {"have", "to", "be", "hard"} <= set(words)


def test_nan_is_refused_by_name(recogniser, speech):
    broken = speech.copy()
    broken[3, 4] = np.nan
    with pytest.raises(AudioError, match="NaN"):
        recogniser.stream().push(broken)


def test_minutes_of_speech_are_cut_at_pauses_in_constant_memory(recogniser, speech):
    stream = recogniser.stream()
    for _ in range(12):
        stream.push(speech)
    assert stream.encoder.frames * 0.02 < 28
    text = stream.finish().text
    assert text.count("hard to remember") >= 10


def test_hints_change_what_is_heard_and_only_that(recogniser, speech):
    plain = transcribe(recogniser, speech)
    other = [f"nothing like number {word}" for word in ("alpha", "bravo", "charlie")]
    assert transcribe(recogniser, speech, hints=Hints(other)).text == plain.text
