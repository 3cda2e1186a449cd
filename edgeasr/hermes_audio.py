"""Sound over Hermes: WAV frames of our microphone, and those of microphones in other rooms."""

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from edgeasr.audio import SAMPLE_RATE, VAD_SAMPLES, Pcm
from edgeasr.endpoint import SpeechFlag
from edgeasr.errors import AudioError

__all__ = ["RemoteUtterance", "read_wav", "write_wav"]

MAX_FRAME_BYTES = 1_000_000
_MAX_S = 30.0
_PATIENCE_S = 5.0  # for the first word
_END_S = 0.8  # more than for our own microphone: frames come in bursts, and no words are known
_VAD_MODE = 2
_MIN_SPEECH = 10  # blocks of 10 ms


def write_wav(pcm: Pcm) -> bytes:
    """Return a complete WAV file of int16 [n] at 16 kHz."""
    target = BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.astype("<i2").tobytes())
    return target.getvalue()


def read_wav(body: bytes) -> Pcm:
    """Return int16 [n] of a WAV frame. Raises AudioError when it is not 16 kHz, 16 bit, mono."""
    if len(body) > MAX_FRAME_BYTES:
        raise AudioError(f"a frame of {len(body)} bytes; send at most {MAX_FRAME_BYTES}")
    try:
        with wave.open(BytesIO(body)) as file:
            form = (file.getframerate(), 8 * file.getsampwidth(), file.getnchannels())
            if form != (SAMPLE_RATE, 16, 1):
                raise AudioError(f"a frame of {form[0]} Hz, {form[1]} bit, {form[2]} channels; "
                                 "send 16000 Hz, 16 bit, mono")  # fmt: skip
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:  # `wave` raises all of them
        raise AudioError(f"a frame is no WAV file: {error}") from error
    return np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.int16)


@dataclass(kw_only=True)
class RemoteUtterance:
    """What a microphone elsewhere has sent since `startListening`."""

    site: str
    session: str | None
    wakeword: str | None = None
    stop_on_silence: bool = True
    send_audio: bool = False

    def __post_init__(self) -> None:
        self.frames = ""
        """The kind of frame it is made of, set by the first: a satellite may send both"""
        self._parts: list[Pcm] = []
        self._rest: Pcm = np.zeros(0, np.int16)
        self._speech = SpeechFlag(_VAD_MODE)
        self._samples = self._heard = 0
        self._quiet_s = 0.0

    def push(self, pcm: Pcm) -> bool:
        """Take int16 [n]; return whether the utterance is over."""
        self._parts.append(pcm)
        self._samples += len(pcm)
        for is_speech in self._flags(pcm):
            self._heard += is_speech
            self._quiet_s = 0.0 if is_speech else self._quiet_s + VAD_SAMPLES / SAMPLE_RATE
        seconds = self._samples / SAMPLE_RATE
        if seconds >= _MAX_S:
            return True
        patience_s = _END_S if self._heard >= _MIN_SPEECH else _PATIENCE_S
        return self.stop_on_silence and self._quiet_s >= patience_s

    def wav(self) -> bytes:
        """Return everything as one WAV file."""
        return write_wav(np.concatenate([np.zeros(0, np.int16), *self._parts]))

    def _flags(self, pcm: Pcm) -> Iterator[bool]:
        joined = np.concatenate([self._rest, pcm])
        whole = len(joined) // VAD_SAMPLES * VAD_SAMPLES
        self._rest = joined[whole:]
        return (self._speech(block) for block in joined[:whole].reshape(-1, VAD_SAMPLES))
