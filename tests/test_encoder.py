from dataclasses import replace

import numpy as np
import pytest

from edgeasr.encoder import EncoderStream
from edgeasr.features import LogMel
from edgeasr.wake_verify import PhraseVerifier, VerifyRule

CHUNK, AHEAD = 32, 8


@pytest.fixture(scope="module")
def nets(models):
    return models.recogniser.nets


@pytest.fixture(scope="module")
def speech(recordings):
    return LogMel()(recordings["alexa-passwords"])[220:]


def pushed(nets, frames):
    stream = EncoderStream(nets)
    outputs = stream.push(frames)
    return stream, outputs


def test_a_chunk_sees_ahead_what_a_longer_chunk_would_see(nets, speech):
    frames = speech[: 2 * (CHUNK + AHEAD) + 1]
    stream, outputs = pushed(replace(nets, chunk=CHUNK, ahead=AHEAD), frames)
    longer, _ = pushed(replace(nets, chunk=CHUNK + AHEAD, ahead=0), frames)
    assert len(outputs) == 1
    assert stream.frames == CHUNK
    both = np.concatenate([stream.states, stream.states_ahead], axis=1)
    np.testing.assert_allclose(both, longer.states, atol=1e-5)


def test_what_was_seen_ahead_is_encoded_again_with_the_next_chunk(nets, speech):
    stream, outputs = pushed(replace(nets, chunk=CHUNK, ahead=AHEAD), speech)
    whole = (len(speech) - 1 - 2 * AHEAD) // (2 * CHUNK)
    assert [len(log_probs) for log_probs in outputs] == [CHUNK // 2] * whole
    assert (stream.states.shape[1], stream.states_ahead.shape[1]) == (CHUNK, AHEAD)
    ended, _ = stream.rest()
    alone, _ = pushed(replace(nets, chunk=CHUNK, ahead=0), speech)
    np.testing.assert_allclose(ended.x, alone.rest()[0].x, atol=1e-5)


def test_the_second_look_at_a_wake_word_sees_nothing_ahead(models, speech):
    rules = {"alexa": VerifyRule(("alexa",), 0.1, 1.0)}

    class Reading:
        pieces, digest = models.recogniser.pieces, models.recogniser.digest
        nets = replace(models.recogniser.nets, ahead=0)

    given = PhraseVerifier(models.recogniser, rules).score("alexa", speech)
    assert given == PhraseVerifier(Reading, rules).score("alexa", speech)
