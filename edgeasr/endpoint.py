"""When an utterance is over: WebRTC speech flags and a pure state machine.

The detector of speech alone is not trusted either way: it takes the tail of the wake word for
speech, and in noise it hears speech for ever. An utterance therefore ends on silence only after
the recogniser has words, and it also ends when the recogniser has heard no new word for a while.
"""

from dataclasses import dataclass, replace
from enum import Enum

import webrtcvad

from edgeasr.audio import SAMPLE_RATE, Pcm

__all__ = ["EndpointConfig", "EndpointState", "Mark", "SpeechFlag", "step"]


@dataclass(frozen=True, kw_only=True)
class EndpointConfig:
    """How long to wait, in milliseconds."""

    start_timeout_ms: int = 5_000
    """From the wake word to giving up when nobody speaks"""
    end_silence_ms: int = 580
    """Silence after the last word that ends the utterance"""
    stall_ms: int = 1_800
    """Without a new word, while there is sound, that ends the utterance (noise, music, TV)"""
    max_utterance_ms: int = 15_000
    """From the wake word to the end of listening, whatever is heard"""
    vad_mode: int = 2
    """Aggressiveness of the WebRTC detector, 0 (more is speech) to 3"""


class Mark(Enum):
    """Why listening ends."""

    SILENCE = "silence"
    TIMEOUT = "timeout"
    NO_SPEECH = "no_speech"


@dataclass(frozen=True)
class EndpointState:
    """What is known of the utterance so far."""

    elapsed_ms: int = 0
    silence_ms: int = 0
    """Since the last block with speech"""


class SpeechFlag:
    """WebRTC's voice activity detector over 10 ms blocks (Gaussian mixtures on sub-bands)."""

    def __init__(self, mode: int) -> None:
        self._vad = webrtcvad.Vad(mode)

    def __call__(self, block: Pcm) -> bool:
        """Return whether int16 [160] is speech; keeps a hang-over of its own."""
        return bool(self._vad.is_speech(block.tobytes(), SAMPLE_RATE))


def step(
    state: EndpointState,
    *,
    is_speech: bool,
    block_ms: int,
    word_age_ms: int | None,
    config: EndpointConfig,
) -> tuple[EndpointState, Mark | None]:
    """Advance by one block; return the new state and the reason to end, or None to go on.

    `word_age_ms` is the time since the recogniser's last word, None while it has none.
    """
    state = replace(
        state,
        elapsed_ms=state.elapsed_ms + block_ms,
        silence_ms=0 if is_speech else state.silence_ms + block_ms,
    )
    return state, _mark(state, word_age_ms, config)


def _mark(state: EndpointState, word_age_ms: int | None, config: EndpointConfig) -> Mark | None:
    if word_age_ms is None:
        waited = state.elapsed_ms - config.start_timeout_ms
        quiet = state.silence_ms >= config.end_silence_ms
        # Whoever is still making a sound at the time-out may be about to be understood.
        if waited >= 0 and (quiet or waited >= config.stall_ms):
            return Mark.NO_SPEECH
        return None
    if state.silence_ms >= config.end_silence_ms or word_age_ms >= config.stall_ms:
        return Mark.SILENCE
    if state.elapsed_ms >= config.max_utterance_ms:
        return Mark.TIMEOUT
    return None
