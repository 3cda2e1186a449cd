import pytest

from edgeasr.endpoint import EndpointConfig, EndpointState, Mark, SpeechFlag, step


def drive(flags, word_at=None, config=None):
    """Feed (is_speech, count) runs of 10 ms blocks; return the mark and when it came, in ms."""
    config = config or EndpointConfig()
    state, now = EndpointState(), 0
    for is_speech, count in flags:
        for _ in range(count):
            now += 10
            age = None if word_at is None or now < word_at else now - word_at
            state, mark = step(
                state, is_speech=is_speech, block_ms=10, word_age_ms=age, config=config
            )
            if mark:
                return mark, now
    return None, now


def test_nobody_speaks():
    assert drive([(False, 1000)]) == (Mark.NO_SPEECH, 5_000)


def test_silence_after_words_ends_the_utterance():
    mark, at_ms = drive([(True, 100), (False, 200)], word_at=950)
    assert (mark, at_ms) == (Mark.SILENCE, 1_580)


def test_a_pause_before_the_first_word_does_not_end_it():
    """The tail of the wake word is speech without words."""
    flags = [(True, 20), (False, 150), (True, 100), (False, 200)]
    mark, at_ms = drive(flags, word_at=2_600)
    assert (mark, at_ms) == (Mark.SILENCE, 3_280)


def test_noise_without_new_words_ends_it():
    config = EndpointConfig(stall_ms=1_500)
    assert drive([(True, 1000)], word_at=2_000, config=config) == (Mark.SILENCE, 3_500)


def test_noise_without_any_word_ends_it():
    config = EndpointConfig(start_timeout_ms=4_000, stall_ms=1_500)
    assert drive([(True, 1000)], config=config) == (Mark.NO_SPEECH, 5_500)


def test_endless_speech_meets_the_time_out():
    config = EndpointConfig(max_utterance_ms=8_000)
    state, now, mark = EndpointState(), 0, None
    while mark is None:
        now += 10
        state, mark = step(state, is_speech=True, block_ms=10, word_age_ms=100, config=config)
    assert (mark, now) == (Mark.TIMEOUT, 8_000)


@pytest.mark.parametrize("end_silence_ms", [200, 500, 900])
def test_the_silence_is_adjustable(end_silence_ms):
    config = EndpointConfig(end_silence_ms=end_silence_ms)
    _, at_ms = drive([(True, 100), (False, 200)], word_at=900, config=config)
    assert at_ms == 1_000 + end_silence_ms


def test_the_speech_flag_tells_speech_from_silence(recordings, noise):
    speech = next(iter(recordings.values()))
    flag = SpeechFlag(2)
    spoken = sum(flag(speech[i : i + 160]) for i in range(0, len(speech) - 160, 160))
    flag, quiet = SpeechFlag(2), noise(3.0, 5)
    silent = sum(flag(quiet[i : i + 160]) for i in range(0, len(quiet) - 160, 160))
    assert spoken > 80
    assert silent < 5
